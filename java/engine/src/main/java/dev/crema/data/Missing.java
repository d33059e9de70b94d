package dev.crema.data;

import java.nio.charset.StandardCharsets;

/** Texts that stand for a missing value: nothing, "?", NA, N/A, NaN and null in whatever case. */
final class Missing {
  private static final byte[][] WORDS = {
    "na".getBytes(StandardCharsets.US_ASCII),
    "n/a".getBytes(StandardCharsets.US_ASCII),
    "nan".getBytes(StandardCharsets.US_ASCII),
    "null".getBytes(StandardCharsets.US_ASCII)
  };

  private Missing() {}

  static boolean is(byte[] b, int from, int to) {
    int length = to - from;
    if (length == 0 || length == 1 && b[from] == '?') {
      return true;
    }
    if (length > 4 || (b[from] | 0x20) != 'n') {
      return false;
    }
    for (byte[] word : WORDS) {
      if (word.length == length && matches(word, b, from)) {
        return true;
      }
    }
    return false;
  }

  private static boolean matches(byte[] word, byte[] b, int from) {
    for (int i = 0; i < word.length; i++) {
      int lower = b[from + i] >= 'A' && b[from + i] <= 'Z' ? b[from + i] | 0x20 : b[from + i];
      if (lower != word[i]) {
        return false;
      }
    }
    return true;
  }
}
