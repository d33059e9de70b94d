package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Numbers as {@link Fp8}: x / scale, rounded to the nearest, half to even, 448 at most, as
 * QuantizeLinear of ONNX opset 21 with FLOAT8E4M3FN. NaN stays NaN. Any shape, float32 → uint8, of
 * which each holds the bits of a number. Every device gives the same bits.
 *
 * @param scale finite and more than 0
 */
public record QuantizeFp8(float scale) implements Op {
  /**
   * @throws ShapeException if the scale is not finite and positive
   */
  public QuantizeFp8 {
    requireScale(scale);
  }

  static void requireScale(float scale) {
    if (!(scale > 0) || Float.isInfinite(scale)) {
      throw new ShapeException("a scale must be finite and more than 0, got " + scale);
    }
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(
        in.get(0).requireElement(ElementType.FLOAT32, "input").withElement(ElementType.UINT8));
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(scale);
  }
}
