package dev.crema.serving.config;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Values that take the place of those in a file, by path ({@code limits.in_flight}): from the
 * environment, and before it from a command line.
 */
public final class Overrides {
  private static final String PREFIX = "CREMA__";

  /** No others than those in the file. */
  public static final Overrides NONE = new Overrides(Map.of(), Map.of());

  private record Given(String where, String text) {}

  private final Map<String, Given> values = new LinkedHashMap<>();

  /**
   * @param environment of which the variables that begin with CREMA__ count: {@code
   *     CREMA__LIMITS__IN_FLIGHT} is {@code limits.in_flight}
   * @param flags by path; they come before the environment
   */
  public Overrides(Map<String, String> environment, Map<String, String> flags) {
    new TreeMap<>(environment)
        .forEach(
            (name, text) -> {
              if (name.startsWith(PREFIX)) {
                String path =
                    name.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace("__", ".");
                values.put(path, new Given("environment variable " + name, text));
              }
            });
    flags.forEach((path, text) -> values.put(path, new Given("command line", text)));
  }

  Map<String, String> texts() {
    Map<String, String> texts = new LinkedHashMap<>();
    values.forEach((path, given) -> texts.put(path, given.text));
    return texts;
  }

  String where(String path) {
    return values.get(path).where;
  }
}
