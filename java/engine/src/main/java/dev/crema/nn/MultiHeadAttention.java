package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Dim;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.op.Attention;
import dev.crema.op.Linear;
import dev.crema.op.Reshape;
import dev.crema.op.Transpose;
import java.util.List;

/**
 * Multi-head attention (Vaswani et al. 2017): queries [n, t, features] (and keys, which are the
 * values too, [n, s, features'], and values of their own) → [n, t, features]. With one input it
 * attends to itself. The weights [n, h, t, s] are stored only where training drops some of them.
 * Parameters, h heads of d elements: query_kernel [features, h · d], key_kernel and value_kernel
 * [features', h · d], output_kernel [h · d, features] and a bias for each.
 *
 * @param heads they must divide the features of the queries, unless {@code headSize} is given
 * @param headSize elements of a head; null: features / heads
 * @param causal whether no position sees those after it; null: false
 * @param bias null: true
 * @param dropout share of the attention's weights that training sets to zero; null: 0
 * @param kernelInitializer null: Glorot uniform
 * @param kernelRegularizer of the four kernels; null: none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record MultiHeadAttention(
    int heads,
    Integer headSize,
    Boolean causal,
    Boolean bias,
    Double dropout,
    Initializer kernelInitializer,
    Regularizer kernelRegularizer)
    implements Layer {
  private static final Transpose HEADS_FIRST = Transpose.of(0, 2, 1, 3); // its own inverse

  public MultiHeadAttention {
    ConvSettings.requirePositive("heads", heads);
    if (headSize != null) {
      ConvSettings.requirePositive("headSize", headSize);
    }
    causal = causal == null ? Boolean.FALSE : causal;
    bias = bias == null ? Boolean.TRUE : bias;
    dropout = dropout == null ? 0 : dropout;
    if (!(dropout >= 0 && dropout < 1)) {
      throw new ShapeException("dropout must lie in [0, 1), got " + dropout);
    }
    kernelInitializer = kernelInitializer == null ? Initializer.GLOROT_UNIFORM : kernelInitializer;
  }

  /** Heads that share the features; every position sees every other. */
  public static MultiHeadAttention of(int heads) {
    return new MultiHeadAttention(heads, null, null, null, null, null, null);
  }

  /** No position sees those after it: for models that generate. */
  public MultiHeadAttention withCausalMask() {
    return new MultiHeadAttention(
        heads, headSize, true, bias, dropout, kernelInitializer, kernelRegularizer);
  }

  public MultiHeadAttention withHeadSize(int elements) {
    return new MultiHeadAttention(
        heads, elements, causal, bias, dropout, kernelInitializer, kernelRegularizer);
  }

  public MultiHeadAttention withDropout(double rate) {
    return new MultiHeadAttention(
        heads, headSize, causal, bias, rate, kernelInitializer, kernelRegularizer);
  }

  public MultiHeadAttention withoutBias() {
    return new MultiHeadAttention(
        heads, headSize, causal, false, dropout, kernelInitializer, kernelRegularizer);
  }

  public MultiHeadAttention withKernelInitializer(Initializer initializer) {
    return new MultiHeadAttention(
        heads, headSize, causal, bias, dropout, initializer, kernelRegularizer);
  }

  public MultiHeadAttention withKernelRegularizer(Regularizer regularizer) {
    return new MultiHeadAttention(
        heads, headSize, causal, bias, dropout, kernelInitializer, regularizer);
  }

  /** One (queries, keys and values in one), two (queries; keys and values) or three. */
  @Override
  public int arity() {
    return -1;
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    if (inputs.size() > 3) {
      throw new ShapeException(
          context.where()
              + "takes queries, keys and values but gets "
              + inputs.size()
              + " inputs. Give it one, two or three.");
    }
    Node queries = sequences(context, inputs.get(0));
    Node keys = sequences(context, inputs.get(Math.min(1, inputs.size() - 1)));
    Node values = sequences(context, inputs.get(inputs.size() - 1));
    if (!keys.type().dim(1).equals(values.type().dim(1))) {
      throw context.refuse(
          "as many values as keys, " + keys.type() + ",", values, "Give each key its value.");
    }
    if (causal && !keys.type().dim(1).equals(queries.type().dim(1))) {
      throw context.refuse(
          "as many keys as queries, " + queries.type() + ", for its causal mask",
          keys,
          "Leave the mask away, or attend to a sequence of the same length.");
    }
    long features = queries.type().extent(-1);
    if (headSize == null && features % heads != 0) {
      throw context.refuse(
          "features that " + heads + " heads divide", queries, "Give a head size of its own.");
    }
    long d = headSize == null ? features / heads : headSize;
    Node q = heads(linear(context, "query", queries, heads * d), d);
    Node k = heads(linear(context, "key", keys, heads * d), d);
    Node v = heads(linear(context, "value", values, heads * d), d);
    Node joined = attended(context, q, k, v);
    TensorType type = queries.type().withDim(-1, Dim.of(heads * d));
    return linear(context, "output", joined.then(new Reshape(type)), features);
  }

  /** [n, t, h, d] of queries, keys and values. */
  private Node attended(LayerContext context, Node q, Node k, Node v) {
    if (!context.training() || dropout == 0) {
      return Attention.ofHeads(q, k, v, causal);
    }
    Dropout drop = new Dropout(dropout);
    return Attention.scaledDotProduct(
            q.then(HEADS_FIRST),
            k.then(HEADS_FIRST),
            v.then(HEADS_FIRST),
            causal,
            weights -> drop.build(context, List.of(weights)))
        .then(HEADS_FIRST);
  }

  private static Node sequences(LayerContext context, Node x) {
    context.sequences(context.floats(x));
    return x;
  }

  private Node linear(LayerContext context, String name, Node x, long units) {
    long features = x.type().extent(-1);
    Node kernel =
        context.parameter(name + "_kernel", kernelInitializer, kernelRegularizer, features, units);
    Node b = bias ? context.parameter(name + "_bias", Initializer.ZEROS, units) : null;
    return x.then(new Linear(), kernel, b);
  }

  /** [n, t, h · d] → [n, t, h, d]. */
  private Node heads(Node x, long d) {
    TensorType type = x.type();
    List<Dim> dims = List.of(type.dim(0), type.dim(1), Dim.of(heads), Dim.of(d));
    return x.then(new Reshape(type.withDims(dims)));
  }
}
