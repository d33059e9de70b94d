package dev.crema.data;

import dev.crema.CremaException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Currency;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Numbers as people write them: {@code 1,234.50}, {@code $1,234}, {@code 1.234,50 €}, {@code 12 %},
 * {@code (1,234)} for a negative one, {@code 1 234,5}, {@code 1'234.50}. Thousands may be grouped
 * by the other of comma and point, by a space (plain, no-break or thin) or an apostrophe; plain
 * numbers with an exponent are read too.
 *
 * @param decimal the decimal point, '.' or ','
 * @param sign the currency or percent sign that may stand before or behind each number; "" for
 *     none. Another sign is no number of this column, as dollars can't be compared with euros
 */
public record Figures(char decimal, String sign) implements Reading {
  private static final int LONGEST = 64;
  private static final Set<String> CODES =
      Currency.getAvailableCurrencies().stream()
          .map(Currency::getCurrencyCode)
          .collect(Collectors.toUnmodifiableSet());

  /** Signs that are neither of one character nor codes of ISO 4217. */
  private static final Set<String> WORDS =
      Set.of("Rs", "Rs.", "kr", "kr.", "zł", "Kč", "Fr.", "Ft");

  private static final String SIGN = "(?:[A-Z]{0,3}\\p{Sc}|%|[\\p{L}]{2,3}\\.?)";
  private static final Pattern POINT = pattern("\\.", ",");
  private static final Pattern COMMA = pattern(",", ".");

  public Figures {
    if (decimal != '.' && decimal != ',') {
      throw new CremaException("A decimal point is '.' or ',', got '" + decimal + "'");
    }
    if (!sign.isEmpty() && !isSign(sign)) {
      throw new CremaException(
          "\"" + sign + "\" is no sign of a currency nor %, as stands beside a number");
    }
  }

  private static Pattern pattern(String decimal, String other) {
    return Pattern.compile(
        "(?<open>\\()?\\h*(?<minus>[-+\u2212])?\\h*(?<before>"
            + SIGN
            + ")?\\h*(?<inner>[-+\u2212])?"
            + "(?<whole>\\d{1,3}(?<group>["
            + other
            + " \u00A0\u2009\u202F'\u2019])(?:\\d{2,3}\\k<group>)*\\d{3}|\\d*)"
            + "(?:"
            + decimal
            + "(?<fraction>\\d*))?\\h*(?<after>"
            + SIGN
            + ")?\\h*(?<close>\\))?");
  }

  /**
   * The text of a number that is no text where it comes from, as in JSON, for a column that may be
   * written as {@code 1.234,5}, where 12.345 would be twelve thousand: 12345E-3 is read alike
   * however the column is written.
   *
   * @param number as Java and JSON write numbers; what is none stays as it is, and so does a whole
   *     number
   */
  public static String unambiguous(String number) {
    if (number.indexOf('.') < 0) {
      return number;
    }
    try {
      BigDecimal exact = new BigDecimal(number);
      return exact.unscaledValue() + "E" + -(long) exact.scale();
    } catch (NumberFormatException e) {
      return number; // an exponent of ten digits, which the column reads or refuses
    }
  }

  /** A number and the sign beside it, "" if there is none. */
  record Match(double value, String sign) {}

  /** Reads a text whatever its sign is; null if it is no number. */
  static Match match(String text, char decimal) {
    if (text.length() > LONGEST || text.chars().noneMatch(c -> c >= '0' && c <= '9')) {
      return null;
    }
    Matcher m = (decimal == '.' ? POINT : COMMA).matcher(text);
    if (!m.matches()
        || (m.group("open") == null) != (m.group("close") == null)
        || m.group("before") != null && m.group("after") != null
        || (m.group("minus") != null || m.group("open") != null) && m.group("inner") != null
        || m.group("minus") != null && m.group("open") != null) {
      return null;
    }
    String sign = m.group("before") != null ? m.group("before") : m.group("after");
    if (sign != null && !isSign(sign)) {
      return null;
    }
    String group = m.group("group");
    String whole = m.group("whole");
    String fraction = m.group("fraction");
    String digits =
        (group == null ? whole : whole.replace(group, ""))
            + (fraction == null ? "" : "." + fraction);
    double value = Numbers.parse(digits);
    boolean negative =
        m.group("open") != null || isMinus(m.group("minus")) || isMinus(m.group("inner"));
    return Double.isNaN(value)
        ? null
        : new Match(negative ? -value : value, sign == null ? "" : sign);
  }

  private static boolean isMinus(String sign) {
    return sign != null && !sign.equals("+");
  }

  private static boolean isSign(String text) {
    return text.equals("%")
        || text.matches("[A-Z]{0,3}\\p{Sc}")
        || CODES.contains(text)
        || WORDS.contains(text);
  }

  @Override
  public double parse(byte[] b, int from, int to) {
    double plain = Numbers.parse(b, from, to, (byte) decimal);
    if (!Double.isNaN(plain) || !mayMatch(b, from, to)) {
      return plain;
    }
    Match match = match(new String(b, from, to - from, StandardCharsets.UTF_8), decimal);
    boolean fits = match != null && (match.sign.isEmpty() || match.sign.equals(sign));
    return fits ? match.value : Double.NaN;
  }

  /** Passes over words without making a String of each. */
  private static boolean mayMatch(byte[] b, int from, int to) {
    if (to - from > 2 * LONGEST) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if (b[i] >= '0' && b[i] <= '9') {
        return true;
      }
    }
    return false;
  }

  @Override
  public String expected() {
    return sign.isEmpty() ? "a number" : "a number such as " + example();
  }

  /** How its numbers look. */
  String example() {
    String number = decimal == '.' ? "1,234.5" : "1.234,5";
    return sign.equals("%")
        ? "12" + decimal + "5%"
        : sign + (sign.length() > 1 ? " " : "") + number;
  }
}
