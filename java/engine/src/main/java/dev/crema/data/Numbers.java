package dev.crema.data;

import java.nio.charset.StandardCharsets;

/**
 * Reads decimal numbers from bytes, correctly rounded. Up to 15 digits and a power of ten up to 22
 * are exact in double arithmetic (Clinger, 1990); the rest goes to {@link Double#parseDouble}.
 */
final class Numbers {
  private static final double[] POWERS = new double[23];
  private static final long MOST_EXACT = 1L << 53;
  private static final int LONGEST = 400;

  static {
    double power = 1;
    for (int i = 0; i < POWERS.length; i++) {
      POWERS[i] = power;
      power *= 10;
    }
  }

  private Numbers() {}

  static double parse(String text) {
    byte[] bytes = text.strip().getBytes(StandardCharsets.UTF_8);
    return parse(bytes, 0, bytes.length, (byte) '.');
  }

  /**
   * The number in bytes [from, to): sign, digits with a decimal point, exponent. NaN if it isn't
   * one, or isn't finite.
   */
  static double parse(byte[] b, int from, int to, byte point) {
    int i = from;
    boolean negative = false;
    if (i < to && (b[i] == '-' || b[i] == '+')) {
      negative = b[i++] == '-';
    }
    long mantissa = 0;
    int digits = 0;
    int fraction = 0;
    boolean pointed = false;
    for (; i < to; i++) {
      int d = b[i] - '0';
      if (d >= 0 && d <= 9) {
        if (mantissa < MOST_EXACT / 10) {
          mantissa = mantissa * 10 + d;
          fraction += pointed ? 1 : 0;
        } else {
          mantissa = MOST_EXACT;
        }
        digits++;
      } else if (b[i] == point && !pointed) {
        pointed = true;
      } else {
        break;
      }
    }
    if (digits == 0) {
      return Double.NaN;
    }
    int exponent = 0;
    if (i < to && (b[i] == 'e' || b[i] == 'E')) {
      i++;
      boolean minus = false;
      if (i < to && (b[i] == '-' || b[i] == '+')) {
        minus = b[i++] == '-';
      }
      if (i == to) {
        return Double.NaN;
      }
      for (; i < to && b[i] >= '0' && b[i] <= '9'; i++) {
        exponent = Math.min(100_000, exponent * 10 + b[i] - '0');
      }
      exponent = minus ? -exponent : exponent;
    }
    if (i < to) {
      return Double.NaN;
    }
    int power = exponent - fraction;
    if (mantissa < MOST_EXACT && power >= -22 && power <= 22) {
      double value = power < 0 ? mantissa / POWERS[-power] : mantissa * POWERS[power];
      return negative ? -value : value;
    }
    return slow(b, from, to, point);
  }

  private static double slow(byte[] b, int from, int to, byte point) {
    if (to - from > LONGEST) {
      return Double.NaN;
    }
    String text = new String(b, from, to - from, StandardCharsets.ISO_8859_1);
    double value = Double.parseDouble(point == '.' ? text : text.replace((char) point, '.'));
    return Double.isFinite(value) ? value : Double.NaN;
  }
}
