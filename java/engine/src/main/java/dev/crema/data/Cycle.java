package dev.crema.data;

import java.util.Locale;

/** A period in which what happens in time repeats itself. */
public enum Cycle {
  DAY(1),
  WEEK(7),
  YEAR(365.2425);

  private final double days;

  Cycle(double days) {
    this.days = days;
  }

  /** As model files and messages name it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** How long it is. */
  double days() {
    return days;
  }
}
