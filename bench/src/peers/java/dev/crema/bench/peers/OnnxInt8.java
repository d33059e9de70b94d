package dev.crema.bench.peers;

import dev.crema.bench.DynamicLayer;
import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import dev.crema.bench.QuantizedLayer;
import dev.crema.bench.QuantizedNetwork;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Work in bytes as models of ONNX, with the fused operations that ONNX Runtime's own rewriting
 * would arrive at: ReLU is what saturation at a zero point of 0 does.
 */
final class OnnxInt8 {
  private OnnxInt8() {}

  /** Of bytes, x and y alike. */
  static byte[] product(Problem.Int8Product p) {
    OnnxGraph graph = new OnnxGraph();
    String zero = graph.constant("zero", OnnxGraph.UINT8, new byte[1]);
    String middle = OnnxWeights.zeros(graph, "middle", 1);
    String one = graph.constant("one", new float[] {1});
    String scale = graph.constant("scale", new float[] {Problem.Int8Product.SCALE});
    String w = OnnxWeights.of(graph, "w", p.w(), p.k(), p.n());
    graph.node("QLinearMatMul", "y", Map.of(), "x", scale, zero, w, one, middle, one, zero);
    return graph.model(OnnxGraph.UINT8, new long[] {p.m(), p.k()}, new long[] {p.m(), p.n()});
  }

  /** Of numbers, from examples to probabilities. */
  static byte[] network(Problem.Int8 p) {
    OnnxGraph graph = new OnnxGraph();
    List<QuantizedLayer> layers = p.layers();
    String[] scales = new String[layers.size()];
    String[] zeros = new String[layers.size()];
    for (int i = 0; i < layers.size(); i++) {
      QuantizedLayer layer = layers.get(i);
      scales[i] = graph.constant("scale" + i, new float[] {layer.scale()});
      zeros[i] = graph.constant("zero" + i, OnnxGraph.UINT8, new byte[] {(byte) layer.zeroPoint()});
    }
    String x = graph.node("QuantizeLinear", "bytes", Map.of(), "x", scales[0], zeros[0]);
    int channels = 0; // of the images before a dense layer
    for (int i = 0; i < layers.size(); i++) {
      QuantizedLayer layer = layers.get(i);
      long[] dims = layer.dims();
      int units = (int) dims[dims.length - 1];
      String columns = graph.constant("columns" + i, layer.scales(), units);
      String middle = OnnxWeights.zeros(graph, "middle" + i, units, units);
      String bias = graph.constant("bias" + i, layer.bias(), units);
      if (dims.length == 4) {
        boolean same = p.of().network() == Network.LENET5 && i == 0;
        byte[] filters = Layouts.filters(layer);
        String w = OnnxWeights.of(graph, "w" + i, filters, dims[3], dims[2], dims[0], dims[1]);
        String[] in = {
          x, scales[i], zeros[i], w, columns, middle, scales[i + 1], zeros[i + 1], bias
        };
        x = graph.node("QLinearConv", "c" + i, OnnxModels.convolution(dims, same), in);
        x = graph.node("MaxPool", "p" + i, OnnxModels.pool(), x);
        channels = units;
        continue;
      }
      byte[] kernel = layer.kernel();
      if (channels > 0) {
        x = graph.node("Flatten", "flat", Map.of("axis", 1L), x);
        float[] rows = Layouts.floats(kernel);
        kernel = Layouts.bytes(Layouts.rows(rows, (int) dims[0] / channels, channels, units));
        channels = 0;
      }
      String w = OnnxWeights.of(graph, "w" + i, kernel, dims);
      String[] in = {x, scales[i], zeros[i], w, columns, middle, bias};
      x =
          i + 1 == layers.size()
              ? graph.own("QGemm", "g" + i, in)
              : graph.own("QGemm", "g" + i, and(in, scales[i + 1], zeros[i + 1]));
    }
    graph.node("Softmax", "y", Map.of("axis", 1L), x);
    return graph.model(OnnxModels.examples(p.of()), OnnxModels.classes(p.of()));
  }

  /** Of numbers again, whose dense layers make bytes of a batch by its own least and greatest. */
  static byte[] dynamic(Problem.QuantizedWeights p) {
    OnnxGraph graph = new OnnxGraph();
    List<DynamicLayer> layers = p.layers();
    String x = "x";
    for (int i = 0; i < layers.size(); i++) {
      DynamicLayer layer = layers.get(i);
      int units = layer.bias().length;
      String w = OnnxWeights.of(graph, "w" + i, layer.kernel(), layer.dims());
      String columns = graph.constant("columns" + i, layer.scales(), units);
      String middle = OnnxWeights.zeros(graph, "middle" + i, units, units);
      String bias = graph.constant("bias" + i, layer.bias(), units);
      x = graph.own("DynamicQuantizeMatMul", "d" + i, x, w, columns, middle, bias);
      x = i + 1 < layers.size() ? graph.node("Relu", "r" + i, Map.of(), x) : x;
    }
    graph.node("Softmax", "y", Map.of("axis", 1L), x);
    return graph.model(OnnxModels.examples(p.of()), OnnxModels.classes(p.of()));
  }

  /** Statically quantized, of a network with ways around its layers. */
  static byte[] residual(Problem.Int8 p) {
    OnnxGraph graph = new OnnxGraph();
    QuantizedNetwork network = p.network();
    OnnxResidual.walk(network.topology(), new OnnxResidualInt8(graph, network));
    return graph.model(OnnxModels.examples(p.of()), OnnxModels.classes(p.of()));
  }

  private static String[] and(String[] first, String... more) {
    String[] all = Arrays.copyOf(first, first.length + more.length);
    System.arraycopy(more, 0, all, first.length, more.length);
    return all;
  }
}
