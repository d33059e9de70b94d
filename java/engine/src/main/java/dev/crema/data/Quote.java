package dev.crema.data;

import java.nio.charset.StandardCharsets;

/** Shows a value in a message. */
final class Quote {
  private static final int LONGEST = 40;

  private Quote() {}

  static String of(byte[] b, int from, int to) {
    boolean cut = to - from > LONGEST;
    String text = new String(b, from, cut ? LONGEST : to - from, StandardCharsets.UTF_8);
    return '"' + text.replaceAll("\\p{Cntrl}", " ") + (cut ? "…" : "") + '"';
  }
}
