package dev.crema.memory;

/**
 * The two 16-bit floating-point formats as bits: bfloat16 (8 bits of exponent, 7 of fraction) and
 * IEEE 754 binary16 (5 and 10). Rounding is to nearest, ties to even; NaN stays NaN.
 */
public final class HalfPrecision {
  private HalfPrecision() {}

  public static short toBfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40); // quiet, so that a fraction cut to zero is not infinity
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  public static float fromBfloat16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  public static short toFloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      return (short) (sign | 0x7e00 | magnitude >>> 13 & 0x3ff);
    }
    if (magnitude >= 0x477ff000) { // 65520: half way past the largest
      return (short) (sign | 0x7c00);
    }
    if (magnitude >= 0x38800000) { // 2^-14: the least normal
      int rounded = magnitude - 0x38000000 + 0xfff + (magnitude >>> 13 & 1);
      return (short) (sign | rounded >>> 13);
    }
    // Subnormal: a multiple of 2^-24. Scaling by a power of two is exact, rint rounds ties to even.
    return (short) (sign | (int) Math.rint(Math.abs(value) * 0x1p24f));
  }

  public static float fromFloat16(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = bits >>> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    if (exponent == 0) {
      float magnitude = fraction * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }
}
