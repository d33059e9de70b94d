package dev.crema.bench;

import java.util.Locale;

/** Whether two engines computed the same. */
final class Results {
  /**
   * Of the largest magnitude: sums of a few thousand float32 products in another order differ by
   * about 1e-6 of it, and fast approximations of exp and erf by as much; a wrong layout by 1.
   */
  static final double TOLERANCE = 1e-4;

  private Results() {}

  static void requireFinite(float[] values) {
    double sum = 0;
    for (float v : values) {
      sum += Math.abs(v);
    }
    if (!(sum > 0 && sum < Double.POSITIVE_INFINITY)) {
      throw new IllegalStateException("The result is not a number, or all zeros: " + sum);
    }
  }

  static void requireEqual(float[] expected, float[] got) {
    requireEqual(expected, got, TOLERANCE);
  }

  /**
   * @param tolerance of the largest magnitude
   */
  static void requireEqual(float[] expected, float[] got, double tolerance) {
    requireFinite(expected);
    if (expected.length != got.length) {
      throw new IllegalStateException(
          "The result has " + got.length + " numbers instead of " + expected.length);
    }
    double scale = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      scale = Math.max(scale, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(expected[i] - got[i]));
    }
    if (!(difference <= tolerance * scale)) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "The result differs from Crema's by %.3g of its largest magnitude",
              difference / scale));
    }
  }
}
