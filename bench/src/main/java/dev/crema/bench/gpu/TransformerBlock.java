package dev.crema.bench.gpu;

import dev.crema.bench.gpu.StoredGraph.Tensors;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Add;
import dev.crema.op.Attention;
import dev.crema.op.Gelu;
import dev.crema.op.LayerNorm;
import dev.crema.op.Linear;
import dev.crema.op.Reshape;
import dev.crema.op.Slice;
import dev.crema.pass.Autodiff;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A block of a transformer that normalises first (Vaswani et al. 2017; Xiong et al. 2020): x + the
 * attention of its norm, then that + a network of four times the width with GELU; forward, and the
 * gradients of the sum of y ⊙ dy in x and all weights. No mask, no dropout.
 */
final class TransformerBlock {
  private static final int PARTS = 3; // queries, keys, values
  private static final int WIDER = 4;
  private static final double EPSILON = 1e-5;

  private final Tensors tensors;
  private final int batch;
  private final int sequence;
  private final int width;
  private final int heads;
  private final List<Node> trained = new ArrayList<>();

  private TransformerBlock(Tensors tensors, Sizes sizes) {
    this.tensors = tensors;
    this.batch = sizes.blockBatch();
    this.sequence = sizes.sequence();
    this.width = sizes.width();
    this.heads = sizes.heads();
  }

  /** Of the products; the backward pass takes twice the forward's. */
  static double flops(Sizes s) {
    double tokens = (double) s.blockBatch() * s.sequence();
    double weights = (1.0 + PARTS + 2 * WIDER) * s.width() * s.width();
    double attention = 2.0 * s.sequence() * s.width();
    return 3 * 2 * tokens * (weights + attention);
  }

  static void build(Tensors tensors, Sizes sizes) {
    TransformerBlock block = new TransformerBlock(tensors, sizes);
    Node x = tensors.uniform(1, block.batch, block.sequence, block.width);
    Node y = block.forward(x);
    tensors.store(y);
    Node dy = tensors.uniform(1, block.batch, block.sequence, block.width);
    List<Node> wrt = new ArrayList<>(block.trained);
    wrt.add(x);
    Map<Node, Node> gradients = Autodiff.gradients(y, dy, wrt);
    wrt.forEach(node -> tensors.store(gradients.get(node)));
  }

  private Node forward(Node x) {
    Node attended = x.then(new Add(), attention(norm(x)));
    Node inner = linear(norm(attended), width, WIDER * width).then(new Gelu());
    return attended.then(new Add(), linear(inner, WIDER * width, width));
  }

  private Node attention(Node x) {
    Node all = linear(x, width, PARTS * width);
    Node q = heads(all, 0);
    Node k = heads(all, 1);
    Node v = heads(all, 2);
    Node joined =
        Attention.ofHeads(q, k, v, false).then(new Reshape(TensorType.of(batch, sequence, width)));
    return linear(joined, width, width);
  }

  /** [batch, sequence, 3·width] → [batch, sequence, heads, width / heads] of one part. */
  private Node heads(Node all, int part) {
    return all.then(Slice.axis(3, 2, (long) part * width, (part + 1L) * width))
        .then(new Reshape(TensorType.of(batch, sequence, heads, width / heads)));
  }

  private Node norm(Node x) {
    Node gamma = tensors.uniform(1, width);
    Node beta = tensors.uniform(1, width);
    trained.add(gamma);
    trained.add(beta);
    return x.then(new LayerNorm(EPSILON), gamma, beta);
  }

  private Node linear(Node x, int in, int out) {
    Node kernel = tensors.uniform(1 / Math.sqrt(in), in, out);
    Node bias = tensors.uniform(1 / Math.sqrt(in), out);
    trained.add(kernel);
    trained.add(bias);
    return x.then(new Linear(), kernel, bias);
  }
}
