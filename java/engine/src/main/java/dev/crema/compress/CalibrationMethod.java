package dev.crema.compress;

import java.util.Locale;

/** How the range of an activation is chosen from what calibration data show of it. */
public enum CalibrationMethod {
  /** From the least to the greatest value. */
  MIN_MAX,

  /** The least and the greatest value of each batch, averaged with weight 0.1 for the new one. */
  MOVING_AVERAGE,

  /** All but the 0.01 % of the values that lie farthest out, half of them on each side. */
  PERCENTILE,

  /**
   * The range whose bytes keep most of the distribution: least Kullback-Leibler divergence (Migacz
   * 2017).
   */
  ENTROPY,

  /** The range whose bytes are nearest to the values: least mean squared error. */
  MSE;

  /** Whether it looks at a histogram, which takes a second pass over the data. */
  boolean needsHistogram() {
    return this == PERCENTILE || this == ENTROPY || this == MSE;
  }

  /** As users write it: {@code min-max}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
