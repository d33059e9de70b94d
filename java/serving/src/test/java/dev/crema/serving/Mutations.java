package dev.crema.serving;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;

/** What becomes of messages on a bad day. */
public final class Mutations {
  private static final String[] TOKENS = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "null",
    "true",
    "NaN",
    "-Infinity",
    "1e999",
    "-0.0",
    "1e-999",
    "99999999999999999999",
    "\\u0000",
    "\\ud800",
    "{\"b64\":\"AA==\"}",
    "\"inputs\":",
    "\"instances\":",
    "\"data\":",
    "\"shape\":",
    "\"parameters\":",
    "\"binary_data_size\":",
    "[[[[[[[[",
    "\u0000",
    "\ufeff"
  };

  private Mutations() {}

  /** A copy with one to six changes: bytes flipped, cut, doubled, put in, or the end lost. */
  public static byte[] of(byte[] message, Random random) {
    byte[] changed = message;
    for (int n = 1 + random.nextInt(6); n > 0; n--) {
      changed = once(changed, random);
    }
    return changed;
  }

  private static byte[] once(byte[] message, Random random) {
    int length = message.length;
    int at = random.nextInt(length + 1);
    int end = Math.min(length, at + random.nextInt(12));
    switch (random.nextInt(7)) {
      case 0, 1 -> {
        byte[] flipped = message.clone();
        if (length > 0) {
          flipped[Math.min(at, length - 1)] ^= (byte) (1 << random.nextInt(8));
        }
        return flipped;
      }
      case 2 -> {
        return splice(message, at, end, new byte[0]);
      }
      case 3 -> {
        return splice(message, at, at, Arrays.copyOfRange(message, at, end));
      }
      case 4 -> {
        return Arrays.copyOf(message, at);
      }
      case 5 -> {
        byte[] noise = new byte[random.nextInt(8)];
        random.nextBytes(noise);
        return splice(message, at, at, noise);
      }
      default -> {
        String token = TOKENS[random.nextInt(TOKENS.length)];
        return splice(
            message, at, random.nextBoolean() ? at : end, token.getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private static byte[] splice(byte[] message, int from, int to, byte[] in) {
    byte[] result = new byte[message.length - (to - from) + in.length];
    System.arraycopy(message, 0, result, 0, from);
    System.arraycopy(in, 0, result, from, in.length);
    System.arraycopy(message, to, result, from + in.length, message.length - to);
    return result;
  }
}
