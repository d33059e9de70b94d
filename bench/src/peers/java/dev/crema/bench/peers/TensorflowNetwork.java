package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Weights;
import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** A network with the weights that Crema's has, as ops of TensorFlow, whose layouts are Crema's. */
final class TensorflowNetwork {
  private static final long[] WINDOW = {1, 2, 2, 1};
  private static final List<Long> ONE = List.of(1L, 1L, 1L, 1L);

  private final TensorflowGraph graph;
  private final Network network;
  private final List<Operand<TFloat32>> parameters = new ArrayList<>();

  TensorflowNetwork(
      TensorflowGraph graph, Network network, List<Weights> weights, boolean trained) {
    this.graph = graph;
    this.network = network;
    for (Weights w : weights) {
      parameters.add(
          trained ? graph.variable(w.values(), w.dims()) : graph.constant(w.values(), w.dims()));
    }
  }

  List<Operand<TFloat32>> parameters() {
    return parameters;
  }

  /** Examples as the network takes them. */
  static Operand<TFloat32> input(
      TensorflowGraph graph, Network network, float[] examples, int batch) {
    return network.widths() == null
        ? graph.input(examples, batch, 28, 28, 1)
        : graph.input(examples, batch, network.inputs());
  }

  Operand<TFloat32> logits(Operand<TFloat32> x) {
    Ops tf = graph.ops();
    int at = 0;
    if (network.widths() == null) {
      x = maxPool(convolution(x, 0, network == Network.LENET5 ? "SAME" : "VALID"));
      x = maxPool(convolution(x, 2, "VALID"));
      x = tf.reshape(x, tf.constant(new int[] {-1, (int) parameters.get(4).shape().get(0)}));
      at = 4;
    }
    for (; at < parameters.size(); at += 2) {
      x = tf.nn.biasAdd(tf.linalg.matMul(x, parameters.get(at)), parameters.get(at + 1));
      if (at + 2 < parameters.size()) {
        x = tf.nn.relu(x);
      }
    }
    return x;
  }

  private Operand<TFloat32> convolution(Operand<TFloat32> x, int at, String padding) {
    Ops tf = graph.ops();
    x = tf.nn.conv2d(x, parameters.get(at), ONE, padding);
    return tf.nn.relu(tf.nn.biasAdd(x, parameters.get(at + 1)));
  }

  /** The op whose window is an attribute, which oneDNN computes; tf.nn has the one with inputs. */
  private Operand<TFloat32> maxPool(Operand<TFloat32> x) {
    return graph
        .graph()
        .opBuilder("MaxPool", "pool" + x.op().name(), graph.ops().scope())
        .addInput(x.asOutput())
        .setAttr("ksize", WINDOW)
        .setAttr("strides", WINDOW)
        .setAttr("padding", "VALID")
        .build()
        .<TFloat32>output(0);
  }
}
