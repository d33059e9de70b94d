package dev.crema.bench.peers;

import dev.crema.natives.Crema;
import java.util.Arrays;

/**
 * int8 weights as ONNX Runtime computes rightly with them. Without VNNI its products of unsigned
 * and signed bytes saturate in 16 bits; there it gets uint8 around 128, which stand for the same
 * numbers.
 */
final class OnnxWeights {
  private static final int MIDDLE = 128;

  private OnnxWeights() {}

  private static boolean areSigned() {
    String isa = Crema.crema_isa_name(Crema.crema_isa_active());
    return isa.contains("vnni") || isa.contains("bf16"); // which implies it
  }

  /** Adds weights; gives their name. */
  static String of(OnnxGraph graph, String name, byte[] values, long... dims) {
    if (areSigned()) {
      return graph.constant(name, OnnxGraph.INT8, values, dims);
    }
    byte[] shifted = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      shifted[i] = (byte) (values[i] + MIDDLE);
    }
    return graph.constant(name, OnnxGraph.UINT8, shifted, dims);
  }

  /** Adds their zero points; gives the name. */
  static String zeros(OnnxGraph graph, String name, int count, long... dims) {
    byte[] zeros = new byte[count];
    if (areSigned()) {
      return graph.constant(name, OnnxGraph.INT8, zeros, dims);
    }
    Arrays.fill(zeros, (byte) MIDDLE);
    return graph.constant(name, OnnxGraph.UINT8, zeros, dims);
  }
}
