package dev.crema.text;

import java.util.Locale;

/** Changes as people read them. */
public final class Signed {
  private Signed() {}

  /**
   * A number with its sign and so many decimals; what rounds to 0 is {@code +0.00}, never {@code
   * -0.00}.
   */
  public static String of(double change, int decimals) {
    String text = String.format(Locale.ROOT, "%+." + decimals + "f", change);
    return text.chars().anyMatch(c -> c >= '1' && c <= '9' || Character.isLetter(c))
        ? text
        : '+' + text.substring(1);
  }
}
