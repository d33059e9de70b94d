package dev.crema.pass;

import dev.crema.graph.ShapeException;
import dev.crema.op.QuantizationParameters;
import java.util.Arrays;

/**
 * How a dense layer becomes one of bytes.
 *
 * @param input of what it reads, as uint8
 * @param weightScales of the columns of its kernel, as int8 around 0. The array is not copied; keep
 *     it as it is.
 */
public record LayerQuantization(QuantizationParameters input, float[] weightScales) {
  /**
   * @throws ShapeException if a scale is not finite and positive
   */
  public LayerQuantization {
    for (float scale : weightScales) {
      if (!(scale > 0) || Float.isInfinite(scale)) {
        throw new ShapeException("a scale must be finite and more than 0, got " + scale);
      }
    }
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof LayerQuantization q
        && input.equals(q.input)
        && Arrays.equals(weightScales, q.weightScales);
  }

  @Override
  public int hashCode() {
    return 31 * input.hashCode() + Arrays.hashCode(weightScales);
  }
}
