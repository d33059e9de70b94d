package dev.crema.bench.peers;

import dev.crema.bench.Network;
import dev.crema.bench.Problem;
import dev.crema.bench.QuantizedLayer;
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
    String signed = graph.constant("signed", OnnxGraph.INT8, new byte[1]);
    String one = graph.constant("one", new float[] {1});
    String scale = graph.constant("scale", new float[] {Problem.Int8Product.SCALE});
    String w = graph.constant("w", OnnxGraph.INT8, p.w(), p.k(), p.n());
    graph.node("QLinearMatMul", "y", Map.of(), "x", scale, zero, w, one, signed, one, zero);
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
    for (int i = 0; i < layers.size(); i++) {
      QuantizedLayer layer = layers.get(i);
      long units = layer.dims()[1];
      String w = graph.constant("w" + i, OnnxGraph.INT8, layer.kernel(), layer.dims());
      String columns = graph.constant("columns" + i, layer.scales(), units);
      String signed = graph.constant("signed" + i, OnnxGraph.INT8, new byte[(int) units], units);
      String bias = graph.constant("bias" + i, layer.bias(), units);
      boolean last = i + 1 == layers.size();
      String[] in = {x, scales[i], zeros[i], w, columns, signed, bias};
      x =
          last
              ? graph.own("QGemm", "g" + i, in)
              : graph.own("QGemm", "g" + i, and(in, scales[i + 1], zeros[i + 1]));
    }
    graph.node("Softmax", "y", Map.of("axis", 1L), x);
    int batch = p.of().batch();
    return graph.model(
        new long[] {batch, p.of().network().inputs()}, new long[] {batch, Network.CLASSES});
  }

  private static String[] and(String[] first, String... more) {
    String[] all = Arrays.copyOf(first, first.length + more.length);
    System.arraycopy(more, 0, all, first.length, more.length);
    return all;
  }
}
