package dev.crema.op;

import dev.crema.graph.ShapeException;

/**
 * How numbers stand for the bytes of a tensor: x = (q - zeroPoint) · scale, as in ONNX.
 *
 * @param scale of one step, finite and more than 0
 * @param zeroPoint the byte that stands for 0
 */
public record QuantizationParameters(float scale, int zeroPoint) {
  private static final int STEPS = 255;

  /**
   * @throws ShapeException if the scale is not finite and positive or the zero point is no byte
   */
  public QuantizationParameters {
    if (!(scale > 0) || Float.isInfinite(scale)) {
      throw new ShapeException("a scale must be finite and more than 0, got " + scale);
    }
    if (zeroPoint < -128 || zeroPoint > STEPS) {
      throw new ShapeException("a zero point must be a byte, got " + zeroPoint);
    }
  }

  /** How many steps of {@code y} one of these is; for null, the number that one stands for. */
  float stepsOf(QuantizationParameters y) {
    return y == null ? scale : scale / y.scale;
  }

  /**
   * Those that spread the 256 numbers of uint8 over a range, which is first widened to hold 0, so
   * that 0 is exact. The range of 0 alone gets the scale 1.
   *
   * @throws ShapeException if a bound is not finite or they are in the wrong order
   */
  public static QuantizationParameters ofRange(double low, double high) {
    if (!(low <= high) || Double.isInfinite(low) || Double.isInfinite(high)) {
      throw new ShapeException("a range needs finite bounds in order, got " + low + " to " + high);
    }
    double from = Math.min(low, 0);
    double to = Math.max(high, 0);
    float scale = (float) ((to - from) / STEPS);
    if (scale < Float.MIN_NORMAL) { // kernels take smaller numbers for 0
      return new QuantizationParameters(from == to ? 1 : Float.MIN_NORMAL, 0);
    }
    int zeroPoint = (int) Math.rint(-from / scale);
    return new QuantizationParameters(scale, Math.max(0, Math.min(STEPS, zeroPoint)));
  }
}
