package dev.crema.serving.config;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times and sizes as people write them: 500ms, 2s, 5m, 1h; 4096, 64KiB, 16MiB, 1GiB. */
final class Quantity {
  private static final Pattern FORM = Pattern.compile("(\\d{1,15})\\s*([a-zA-Z]*)");
  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L);
  private static final Map<String, Long> BYTES =
      Map.of("", 1L, "B", 1L, "KiB", 1L << 10, "MiB", 1L << 20, "GiB", 1L << 30);

  private Quantity() {}

  /** Null if it is none. */
  static Duration duration(String text) {
    OptionalLong millis = parse(text, MILLIS);
    return millis.isPresent() ? Duration.ofMillis(millis.getAsLong()) : null;
  }

  /** Empty if it is none. */
  static OptionalLong bytes(String text) {
    return parse(text, BYTES);
  }

  private static OptionalLong parse(String text, Map<String, Long> units) {
    Matcher m = FORM.matcher(text);
    Long unit = m.matches() ? units.get(m.group(2)) : null;
    if (unit == null) {
      return text.equals("0") ? OptionalLong.of(0) : OptionalLong.empty();
    }
    try {
      return OptionalLong.of(Math.multiplyExact(Long.parseLong(m.group(1)), unit));
    } catch (ArithmeticException e) {
      return OptionalLong.empty();
    }
  }
}
