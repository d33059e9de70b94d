package dev.crema.pass;

import dev.crema.graph.ShapeException;
import dev.crema.op.QuantizationParameters;
import java.util.Arrays;
import java.util.List;

/**
 * How a layer becomes one of bytes.
 *
 * @param inputs of what it reads, as uint8, input by input; empty for an embedding, which reads ids
 * @param weightScales of the outputs of its kernel (columns, filters), or of the rows of its table,
 *     as int8 around 0; empty for a layer without either. The array is not copied; keep it as it
 *     is.
 */
public record LayerQuantization(List<QuantizationParameters> inputs, float[] weightScales) {
  /**
   * @throws ShapeException if a scale is not finite and positive
   */
  public LayerQuantization {
    inputs = List.copyOf(inputs);
    for (float scale : weightScales) {
      if (!(scale > 0) || Float.isInfinite(scale)) {
        throw new ShapeException("a scale must be finite and more than 0, got " + scale);
      }
    }
  }

  /** Of a layer with one input. */
  public LayerQuantization(QuantizationParameters input, float[] weightScales) {
    this(List.of(input), weightScales);
  }

  /** Of what a layer with one input reads. */
  public QuantizationParameters input() {
    return inputs.get(0);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof LayerQuantization q
        && inputs.equals(q.inputs)
        && Arrays.equals(weightScales, q.weightScales);
  }

  @Override
  public int hashCode() {
    return 31 * inputs.hashCode() + Arrays.hashCode(weightScales);
  }
}
