package dev.crema.device.cuda;

import dev.crema.CremaException;
import java.util.Locale;

/** Which of the ways to compute an instruction a card times, to take the fastest. */
enum Measuring {
  /** None: a rule chooses. */
  NOTHING("0"),

  /** Those that write the same bits, so that results do not depend on what was chosen. */
  SAME_BITS("same"),

  /** Those, too, whose results differ by rounding. */
  ALL("all");

  static final String VARIABLE = "CREMA_CUDA_MEASURE";

  private final String setting;

  Measuring(String setting) {
    this.setting = setting;
  }

  /**
   * What the environment variable says.
   *
   * @param value null or empty: the usual
   * @throws CremaException if it is none of the settings
   */
  static Measuring of(String value) {
    if (value == null || value.isBlank()) {
      return SAME_BITS;
    }
    for (Measuring each : values()) {
      if (each.setting.equals(value.strip().toLowerCase(Locale.ROOT))) {
        return each;
      }
    }
    throw new CremaException(
        VARIABLE
            + " is \""
            + value
            + "\". It may be 0 (nothing is measured), same (the usual: ways that write the same"
            + " bits) or all (also ways whose results differ by rounding).");
  }
}
