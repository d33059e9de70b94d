package dev.crema.op;

/**
 * Numbers of 8 bits: E4M3 (Micikevicius et al. 2022), FLOAT8E4M3FN of ONNX: a sign, four bits of an
 * exponent with bias 7, three of a fraction. From 2⁻⁹ to {@value #MAX}, with two zeros, NaN and no
 * infinity.
 */
public final class Fp8 {
  /** The greatest number. */
  public static final float MAX = 448;

  /** A NaN; with the sign it is the other one. */
  public static final byte NAN = 0x7f;

  private static final int FRACTION = 3; // bits
  private static final int FLOAT_FRACTION = 23;
  private static final int BIAS = 127 - 7; // between the exponents of float32 and these
  private static final float LEAST_NORMAL = 0x1p-6f;
  private static final float STEP = 0x1p-9f; // of smaller numbers

  private Fp8() {}

  /** The nearest to a number, half to even; beyond {@value #MAX} that; of NaN {@link #NAN}. */
  public static byte of(float x) {
    if (Float.isNaN(x)) {
      return NAN;
    }
    float size = Math.min(Math.abs(x), MAX);
    int sign = Float.floatToRawIntBits(x) >>> 24 & 0x80;
    if (size < LEAST_NORMAL) {
      return (byte) (sign | (int) Math.rint(size / STEP));
    }
    int shift = FLOAT_FRACTION - FRACTION;
    int bits = Float.floatToRawIntBits(size);
    int rounded = bits + (1 << shift - 1) - 1 + (bits >> shift & 1) >> shift;
    return (byte) (sign | rounded - (BIAS << FRACTION));
  }

  /** The number that a byte stands for. */
  public static float valueOf(byte code) {
    int size = code & NAN;
    float value = size * STEP;
    if (size == NAN) {
      value = Float.NaN;
    } else if (size >= 1 << FRACTION) {
      value = Float.intBitsToFloat((size << FLOAT_FRACTION - FRACTION) + (BIAS << FLOAT_FRACTION));
    }
    return code < 0 ? -value : value;
  }
}
