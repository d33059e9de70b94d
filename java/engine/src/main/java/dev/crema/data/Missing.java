package dev.crema.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Texts that stand for a missing value: nothing, "?", NA, N/A, NaN and null in whatever case, #N/A.
 * In a column of numbers, dashes and words such as "none" do too.
 */
final class Missing {
  private static final byte[][] WORDS = bytes("na", "n/a", "nan", "null", "#n/a", "#na");
  private static final byte[][] AMONG_NUMBERS =
      bytes("-", "--", "---", "–", "—", ".", "..", "none", "nil", "unknown", "missing");

  private Missing() {}

  private static byte[][] bytes(String... words) {
    return Arrays.stream(words)
        .map(word -> word.getBytes(StandardCharsets.UTF_8))
        .toArray(byte[][]::new);
  }

  static boolean is(byte[] b, int from, int to) {
    int length = to - from;
    if (length == 0 || length == 1 && b[from] == '?') {
      return true;
    }
    int first = b[from] | 0x20;
    return length <= 4 && (first == 'n' || b[from] == '#') && isOneOf(WORDS, b, from, to);
  }

  /** Whether a text stands for a missing number where the others are numbers or dates. */
  static boolean amongNumbers(byte[] b, int from, int to) {
    return to - from <= 7 && isOneOf(AMONG_NUMBERS, b, from, to);
  }

  private static boolean isOneOf(byte[][] words, byte[] b, int from, int to) {
    for (byte[] word : words) {
      if (matches(word, b, from, to)) {
        return true;
      }
    }
    return false;
  }

  private static boolean matches(byte[] word, byte[] b, int from, int to) {
    if (word.length != to - from) {
      return false;
    }
    for (int i = 0; i < word.length; i++) {
      int lower = b[from + i] >= 'A' && b[from + i] <= 'Z' ? b[from + i] | 0x20 : b[from + i];
      if (lower != word[i]) {
        return false;
      }
    }
    return true;
  }
}
