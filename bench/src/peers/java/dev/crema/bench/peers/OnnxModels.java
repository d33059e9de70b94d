package dev.crema.bench.peers;

import dev.crema.bench.Data;
import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import dev.crema.bench.Weights;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The problems as models of ONNX. */
final class OnnxModels {
  /**
   * A model with what it is fed.
   *
   * @param reading the result in Crema's order
   */
  record Built(
      byte[] model,
      float[] input,
      long[] inputDims,
      long[] outputDims,
      UnaryOperator<float[]> reading) {}

  private static final long[] PAIR = {2, 2};
  private static final long[] SAME = {1, 1, 1, 1};

  private OnnxModels() {}

  static Built of(Problem problem) {
    if (problem instanceof Problem.Prediction p) {
      return p.network().isSequence() ? network(p) : residual(p);
    }
    if (problem instanceof Problem.Int8 p) {
      float[] examples = p.of().examples();
      return new Built(
          p.of().network().isSequence() ? OnnxInt8.network(p) : OnnxInt8.residual(p),
          examples,
          examples(p.of()),
          classes(p.of()),
          UnaryOperator.identity());
    }
    if (problem instanceof Problem.QuantizedWeights p) {
      return new Built(
          OnnxInt8.dynamic(p),
          p.of().examples(),
          examples(p.of()),
          classes(p.of()),
          UnaryOperator.identity());
    }
    if (problem instanceof Problem.ResidualBlock p) {
      return residual(p);
    }
    if (problem instanceof Problem.Rowwise p) {
      return rowwise(p);
    }
    return maxPool((Problem.MaxPool) problem);
  }

  private static Built network(Problem.Prediction problem) {
    Network network = problem.network();
    OnnxGraph graph = new OnnxGraph();
    String x = "x";
    List<Weights> parameters = problem.weights();
    int channels = 0; // of the images before a dense layer
    for (int i = 0; i < parameters.size(); i += 2) {
      float[] kernel = parameters.get(i).values();
      long[] dims = parameters.get(i).dims();
      String bias = graph.constant("b" + i, parameters.get(i + 1).values(), dims[dims.length - 1]);
      if (dims.length == 4) {
        x = convolution(graph, x, i, dims, kernel, bias, network == Network.LENET5 && i == 0);
        x = graph.node("MaxPool", "p" + i, pool(), x);
        channels = (int) dims[3];
      } else {
        if (channels > 0) {
          x = graph.node("Flatten", "flat", Map.of("axis", 1L), x);
          kernel = Layouts.rows(kernel, (int) dims[0] / channels, channels, (int) dims[1]);
          channels = 0;
        }
        String weights = graph.constant("w" + i, kernel, dims);
        x = graph.node("Gemm", "g" + i, Map.of(), x, weights, bias);
        x = i + 2 < parameters.size() ? graph.node("Relu", "r" + i, Map.of(), x) : x;
      }
    }
    graph.node("Softmax", "y", Map.of("axis", 1L), x);
    long[] in = examples(problem);
    long[] out = classes(problem);
    byte[] model = graph.model(in, out);
    return new Built(model, problem.examples(), in, out, UnaryOperator.identity());
  }

  /** The shape of the examples. */
  static long[] examples(Problem.Prediction p) {
    boolean images = p.network().widths() == null;
    return images
        ? new long[] {p.batch(), 1, 28, 28}
        : new long[] {p.batch(), p.network().inputs()};
  }

  /** The shape of the probabilities. */
  static long[] classes(Problem.Prediction p) {
    return new long[] {p.batch(), Network.CLASSES};
  }

  static Map<String, Object> pool() {
    return Map.of("kernel_shape", PAIR, "strides", PAIR);
  }

  private static String convolution(
      OnnxGraph graph, String x, int i, long[] dims, float[] kernel, String bias, boolean same) {
    float[] values =
        Layouts.kernel(kernel, (int) (dims[0] * dims[1]), (int) dims[2], (int) dims[3]);
    String weights = graph.constant("k" + i, values, dims[3], dims[2], dims[0], dims[1]);
    x = graph.node("Conv", "c" + i, convolution(dims, same), x, weights, bias);
    return graph.node("Relu", "r" + i, Map.of(), x);
  }

  /**
   * Attributes of a convolution by a kernel [height, width, ...].
   *
   * @param same whether the images keep their size
   */
  static Map<String, Object> convolution(long[] dims, boolean same) {
    long pad = same ? dims[0] / 2 : 0;
    long[] size = {dims[0], dims[1]};
    return Map.of("kernel_shape", size, "pads", new long[] {pad, pad, pad, pad});
  }

  private static Built residual(Problem.Prediction problem) {
    OnnxGraph graph = new OnnxGraph();
    OnnxResidual.walk(problem.network().topology(), new OnnxFloats(graph, problem.weights()));
    long[] in = examples(problem);
    long[] out = classes(problem);
    return new Built(graph.model(in, out), problem.examples(), in, out, UnaryOperator.identity());
  }

  private static Built residual(Problem.ResidualBlock p) {
    int c = p.channels();
    int pixels = p.side() * p.side();
    OnnxGraph graph = new OnnxGraph();
    String inner = graph.node("Relu", "h", Map.of(), same(graph, "x", c, 2, 4));
    String sum = graph.node("Add", "s", Map.of(), same(graph, inner, c, 3, 5), "x");
    graph.node("Relu", "y", Map.of(), sum);
    long[] dims = {p.batch(), c, p.side(), p.side()};
    float[] x = Data.uniform(1, p.batch() * pixels * c);
    return new Built(
        graph.model(dims, dims),
        Layouts.channelsFirst(x, p.batch(), pixels, c),
        dims,
        dims,
        y -> Layouts.channelsLast(y, p.batch(), pixels, c));
  }

  private static String same(OnnxGraph graph, String x, int c, long kernelSeed, long biasSeed) {
    float[] kernel = Layouts.kernel(Data.weights(kernelSeed, 9 * c * c, 9 * c), 9, c, c);
    String weights = graph.constant("k" + kernelSeed, kernel, c, c, 3, 3);
    String bias = graph.constant("b" + biasSeed, Data.uniform(biasSeed, c), c);
    Map<String, Object> attributes = Map.of("kernel_shape", new long[] {3, 3}, "pads", SAME);
    return graph.node("Conv", "c" + kernelSeed, attributes, x, weights, bias);
  }

  private static Built rowwise(Problem.Rowwise p) {
    OnnxGraph graph = new OnnxGraph();
    switch (p.function()) {
      case SOFTMAX -> graph.node("Softmax", "y", Map.of("axis", 1L), "x");
      case GELU -> graph.node("Gelu", "y", Map.of(), "x");
      case LAYER_NORM -> {
        String gamma = graph.constant("gamma", Data.uniform(2, p.columns()), p.columns());
        String beta = graph.constant("beta", Data.uniform(3, p.columns()), p.columns());
        Map<String, Object> attributes = Map.of("axis", 1L, "epsilon", 1e-5f);
        graph.node("LayerNormalization", "y", attributes, "x", gamma, beta);
      }
    }
    long[] dims = {p.rows(), p.columns()};
    return new Built(graph.model(dims, dims), p.input(), dims, dims, UnaryOperator.identity());
  }

  private static Built maxPool(Problem.MaxPool p) {
    OnnxGraph graph = new OnnxGraph();
    graph.node("MaxPool", "y", pool(), "x");
    int c = p.channels();
    long half = p.side() / 2;
    float[] x = Data.uniform(1, p.batch() * p.side() * p.side() * c);
    long[] in = {p.batch(), c, p.side(), p.side()};
    long[] out = {p.batch(), c, half, half};
    return new Built(
        graph.model(in, out),
        Layouts.channelsFirst(x, p.batch(), p.side() * p.side(), c),
        in,
        out,
        y -> Layouts.channelsLast(y, p.batch(), (int) (half * half), c));
  }
}
