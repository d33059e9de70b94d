package dev.crema.serving.openinference;

import dev.crema.memory.HalfPrecision;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorValue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The classification extension: instead of scores the best classes of each row, the best first, as
 * {@code value:index} or {@code value:index:label}.
 *
 * @param shape [n, classes]
 * @param strings row by row
 */
record TopClasses(long[] shape, List<String> strings) {
  /** Equal scores in the order of their index; NaN last. */
  static TopClasses of(RequestedOutput output, TensorValue value, Signature signature) {
    long[] shape = value.shape();
    if (shape.length != 2 || !value.type().isFloating()) {
      throw ServingException.invalidArgument(
          "output '"
              + output.name()
              + "' is "
              + value
              + "; 'classification' takes floats of shape [n, classes]");
    }
    int rows = (int) shape[0];
    int classes = (int) shape[1];
    int count = (int) Math.min(output.classes(), classes);
    List<String> labels = signature.labels().size() == classes ? signature.labels() : List.of();
    float[] scores = new float[classes];
    List<String> strings = new ArrayList<>();
    ByteBuffer data = value.data();
    for (int row = 0; row < rows; row++) {
      Integer[] order = new Integer[classes];
      for (int c = 0; c < classes; c++) {
        order[c] = c;
        scores[c] =
            switch (value.type()) {
              case FLOAT16 -> HalfPrecision.fromFloat16(data.getShort());
              case BFLOAT16 -> HalfPrecision.fromBfloat16(data.getShort());
              default -> data.getFloat();
            };
      }
      Arrays.sort(
          order,
          Comparator.comparing((Integer c) -> Float.isNaN(scores[c]))
              .thenComparing(c -> -scores[c]));
      for (int i = 0; i < count; i++) {
        int c = order[i];
        strings.add(scores[c] + ":" + c + (labels.isEmpty() ? "" : ":" + labels.get(c)));
      }
    }
    return new TopClasses(new long[] {rows, count}, strings);
  }
}
