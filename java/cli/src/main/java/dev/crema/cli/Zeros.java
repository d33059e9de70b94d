package dev.crema.cli;

import dev.crema.serving.inference.TensorSpec;
import java.util.List;

/** An example that any model takes. */
final class Zeros {
  private Zeros() {}

  /** One example of zeros in TensorFlow Serving's rows, as {@code [[0,0,0]]}. */
  static String instances(TensorSpec input) {
    return "[" + nested(input.shape(), 1) + "]";
  }

  private static String nested(List<Long> shape, int axis) {
    if (axis >= shape.size()) {
      return "0";
    }
    String inner = nested(shape, axis + 1);
    long extent = Math.max(1, shape.get(axis)); // -1: any
    return "[" + (inner + ",").repeat((int) extent - 1) + inner + "]";
  }
}
