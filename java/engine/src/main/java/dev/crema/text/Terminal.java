package dev.crema.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * What the place where text goes can do.
 *
 * @param interactive a person watches and a line can be drawn again; false for files, pipes and
 *     logs
 * @param unicode it shows UTF-8; else only ASCII is written
 * @param colour it understands ANSI colours
 * @param columns characters a line
 */
public record Terminal(boolean interactive, boolean unicode, boolean colour, int columns) {
  private static final int DEFAULT_COLUMNS = 80;
  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");

  public Terminal {
    if (columns < 1) {
      throw new IllegalArgumentException("Terminal: expected 1 column or more, got " + columns);
    }
  }

  /** The terminal behind standard error, from the process and its environment. */
  public static Terminal standardError() {
    return of(System.getenv(), isTerminal(), System.getProperty("native.encoding", ""));
  }

  /**
   * From environment variables: {@code NO_COLOR} (not empty) or {@code TERM=dumb} make it a plain
   * log; {@code COLUMNS} is its width, 80 where it isn't set.
   */
  static Terminal of(Map<String, String> environment, boolean terminal, String encoding) {
    boolean plain =
        !environment.getOrDefault("NO_COLOR", "").isEmpty()
            || "dumb".equals(environment.get("TERM"));
    boolean interactive = terminal && !plain;
    boolean unicode = encoding.toUpperCase(Locale.ROOT).equals("UTF-8");
    return new Terminal(interactive, unicode, interactive, columns(environment.get("COLUMNS")));
  }

  private static int columns(String value) {
    if (value == null || !value.matches("[1-9][0-9]{0,3}")) {
      return DEFAULT_COLUMNS;
    }
    return Integer.parseInt(value);
  }

  /**
   * Linux says what standard error is. Elsewhere a console is taken as a sign: it needs standard
   * input and output to be terminals, so a redirected output gives the plain log.
   */
  private static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(STANDARD_ERROR).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException | SecurityException notLinux) {
      return System.console() != null;
    }
  }
}
