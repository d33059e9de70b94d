package dev.crema.memory;

import dev.crema.CremaException;
import dev.crema.natives.Crema;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/**
 * How much native memory Crema may hold: the system property {@code crema.maxBytes} (a number, with
 * k, m or g for powers of 1024), else what the machine or its container has. A request that cannot
 * be met is refused before the system is asked, which would rather kill the process.
 */
final class MemoryLimit {
  private static final String PROPERTY = "crema.maxBytes";
  private static final int MOST_WAITS = 9;

  private MemoryLimit() {}

  /**
   * Refuses a request that would pass the limit.
   *
   * @throws CremaException saying what was asked, what is held and the limit
   */
  static void check(long bytes, String name) {
    if (bytes < 0) {
      throw new CremaException(name + " cannot have a negative size: " + bytes + " bytes");
    }
    if (!fits(bytes)) {
      collectViews(bytes);
      if (!fits(bytes)) {
        throw refusal(bytes, name);
      }
    }
  }

  static CremaException refusal(long bytes, String name) {
    return new CremaException(
        "Out of native memory: "
            + name
            + " asks for "
            + show(bytes)
            + ", Crema holds "
            + show(Crema.crema_allocated_bytes())
            + ", and the limit is "
            + show(limit())
            + (System.getProperty(PROPERTY) == null
                ? " (the memory of this machine or its container)"
                : " (system property " + PROPERTY + ")")
            + ". Use a smaller batch or model, close what is no longer needed, or allow more with "
            + PROPERTY
            + ".");
  }

  private static boolean fits(long bytes) {
    return bytes <= limit() - Crema.crema_allocated_bytes();
  }

  private static long limit() {
    String value = System.getProperty(PROPERTY);
    return value == null || value.isBlank() ? Crema.crema_physical_bytes() : parse(value);
  }

  static long parse(String value) {
    String text = value.trim().toLowerCase(Locale.ROOT);
    int shift = 10 * ("kmgt".indexOf(text.charAt(text.length() - 1)) + 1);
    try {
      long number = Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1));
      if (number >= 0 && number <= Long.MAX_VALUE >> shift) {
        return number << shift;
      }
    } catch (NumberFormatException e) {
      throw wrong(value, e);
    }
    throw wrong(value, null);
  }

  private static CremaException wrong(String value, Throwable cause) {
    return new CremaException(
        "System property "
            + PROPERTY
            + " is \""
            + value
            + "\": expected a number of bytes such as 512m, 8g or 1073741824",
        cause);
  }

  /** Memory whose owner is closed may be held only by views that nobody can reach any more. */
  private static void collectViews(long bytes) {
    if (!Block.hasViews()) {
      return;
    }
    System.gc();
    for (int i = 0; i < MOST_WAITS && Block.hasViews() && !fits(bytes); i++) {
      LockSupport.parkNanos(1_000_000L << i);
    }
  }

  static String show(long bytes) {
    if (bytes < 10_000) {
      return bytes + " bytes";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 1024 && unit < 5) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %ciB", value, "KMGTPE".charAt(unit));
  }
}
