package dev.crema.pass;

import dev.crema.graph.ShapeException;
import dev.crema.op.QuantizationParameters;
import java.util.Arrays;
import java.util.List;

/**
 * How a layer computes with quantized weights, or with bytes.
 *
 * @param inputs of what it reads, as uint8, input by input, or the scale of fp8, with the zero
 *     point 0; empty unless the scheme is calibrated, and for an embedding, which reads ids
 * @param weightScales of its kernel, [groups, outputs] (columns, filters), or of its table, [rows];
 *     a static scheme has one group, and no scales for a layer without either. The array is not
 *     copied; keep it as it is.
 */
public record LayerQuantization(
    QuantizationScheme scheme, List<QuantizationParameters> inputs, float[] weightScales) {
  /**
   * @throws ShapeException if a scale is not finite and positive, or there are inputs' parameters
   *     that the scheme does not use, or, of fp8, not one
   */
  public LayerQuantization {
    inputs = List.copyOf(inputs);
    if (!scheme.isCalibrated() && !inputs.isEmpty()) {
      throw new ShapeException(
          "the ranges of inputs are not known before in a " + scheme.method() + " quantization");
    }
    boolean fp8 = scheme.method() == QuantizationScheme.Method.FP8;
    if (fp8 && (inputs.size() != 1 || inputs.get(0).zeroPoint() != 0)) {
      throw new ShapeException("fp8 needs one input with the zero point 0, got " + inputs);
    }
    for (float scale : weightScales) {
      if (!(scale > 0) || Float.isInfinite(scale)) {
        throw new ShapeException("a scale must be finite and more than 0, got " + scale);
      }
    }
  }

  /** Static. */
  public LayerQuantization(List<QuantizationParameters> inputs, float[] weightScales) {
    this(QuantizationScheme.STATIC, inputs, weightScales);
  }

  /** Static, of a layer with one input. */
  public LayerQuantization(QuantizationParameters input, float[] weightScales) {
    this(List.of(input), weightScales);
  }

  /** Of a layer whose inputs have no range that is known before. */
  public LayerQuantization(QuantizationScheme scheme, float[] weightScales) {
    this(scheme, List.of(), weightScales);
  }

  /** Whether it reads bytes of ranges that are known before. */
  public boolean isStatic() {
    return scheme.method() == QuantizationScheme.Method.STATIC;
  }

  /** Of what a calibrated layer with one input reads. */
  public QuantizationParameters input() {
    return inputs.get(0);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof LayerQuantization q
        && scheme.equals(q.scheme)
        && inputs.equals(q.inputs)
        && Arrays.equals(weightScales, q.weightScales);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * scheme.hashCode() + inputs.hashCode()) + Arrays.hashCode(weightScales);
  }
}
