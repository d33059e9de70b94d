package dev.crema.serving.tensor;

import com.fasterxml.jackson.core.io.IOContext;
import com.fasterxml.jackson.core.json.UTF8StreamJsonParser;
import com.fasterxml.jackson.core.sym.ByteQuadsCanonicalizer;
import java.nio.ByteBuffer;

/**
 * Jackson's parser with a short way through lists of floats, in which most bytes of most requests
 * are: it takes what is written plainly, and leaves all else, and all errors, to Jackson.
 */
final class ListParser extends UTF8StreamJsonParser {
  /** Numbers of more digits are left to Jackson. */
  private static final long MOST_DIGITS = 100_000_000_000_000_000L;

  private static final int MOST_EXPONENT = 99;

  /** Exact in a double. */
  private static final double[] POWERS_OF_TEN = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22
  };

  /** The bits of a double that a float has no room for. */
  private static final long CUT = (1L << 29) - 1;

  private static final long HALF = 1L << 28;

  private float value; // what number() has read

  ListParser(
      IOContext context,
      int features,
      ByteQuadsCanonicalizer symbols,
      byte[] body,
      int start,
      int end) {
    super(context, features, null, null, symbols, body, start, end, 0, false);
  }

  /**
   * Reads numbers of the list whose last number is the current token, as long as they are plain and
   * there is room. The current token remains a number of that list.
   *
   * @param into little endian
   * @return how many were read
   */
  int floats(ByteBuffer into) {
    int count = 0;
    while (into.remaining() >= Float.BYTES) {
      int comma = blanks(_inputPtr);
      if (comma >= _inputEnd || _inputBuffer[comma] != ',') {
        break;
      }
      int end = number(blanks(comma + 1));
      if (end < 0) {
        break;
      }
      into.putFloat(value);
      _inputPtr = end;
      count++;
    }
    return count;
  }

  private int blanks(int from) {
    int at = from;
    while (at < _inputEnd && _inputBuffer[at] == ' ') {
      at++;
    }
    return at;
  }

  /** Reads the number that begins there; gives its end, or -1 if it is not plain. */
  private int number(int start) {
    byte[] text = _inputBuffer;
    int end = _inputEnd;
    int at = start;
    boolean negative = at < end && text[at] == '-';
    if (negative) {
      at++;
    }
    int first = at;
    long digits = 0;
    while (at < end && isDigit(text[at]) && digits < MOST_DIGITS) {
      digits = 10 * digits + (text[at++] - '0');
    }
    if (at == first || text[first] == '0' && at > first + 1) {
      return -1;
    }
    int exponent = 0;
    boolean whole = true;
    if (at < end && text[at] == '.') {
      whole = false;
      int point = ++at;
      while (at < end && isDigit(text[at]) && digits < MOST_DIGITS) {
        digits = 10 * digits + (text[at++] - '0');
      }
      exponent = point - at;
      if (exponent == 0) {
        return -1;
      }
    }
    if (at < end && (text[at] | ' ') == 'e') {
      whole = false;
      at++;
      boolean less = at < end && text[at] == '-';
      if (less || at < end && text[at] == '+') {
        at++;
      }
      int from = at;
      int power = 0;
      while (at < end && isDigit(text[at]) && power <= MOST_EXPONENT) {
        power = 10 * power + (text[at++] - '0');
      }
      if (at == from) {
        return -1;
      }
      exponent += less ? -power : power;
    }
    boolean ends = at < end && (text[at] == ',' || text[at] == ']' || text[at] == ' ');
    return ends && convert(negative, digits, exponent, whole) ? at : -1;
  }

  private static boolean isDigit(byte c) {
    return c >= '0' && c <= '9';
  }

  /**
   * Rounds digits · 10^exponent to the nearest float. In doubles two roundings are made at most,
   * which move it by less than two units: where no border between two floats is as near as that,
   * the double's float is the right one.
   *
   * @return false if that is not known
   */
  private boolean convert(boolean negative, long digits, int exponent, boolean whole) {
    if (exponent <= -POWERS_OF_TEN.length || exponent >= POWERS_OF_TEN.length) {
      return false;
    }
    if (digits == 0 && negative && whole) {
      return false; // an integer, which has no negative zero
    }
    double power = POWERS_OF_TEN[Math.abs(exponent)];
    double exact = exponent < 0 ? digits / power : digits * power;
    long beyond = Double.doubleToRawLongBits(exact) & CUT;
    if (Math.abs(beyond - HALF) <= 2 || exact > Float.MAX_VALUE) {
      return false;
    }
    value = (float) (negative ? -exact : exact);
    return true;
  }
}
