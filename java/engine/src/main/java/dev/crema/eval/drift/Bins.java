package dev.crema.eval.drift;

import java.util.Arrays;

/**
 * How the values of a feature are put into bins. The first bin is for values below {@code least},
 * then comes one for each upper bound (which it includes), then one for values above the last, then
 * one for missing values (NaN). Immutable.
 */
public final class Bins {
  private static final int NOT_BOUNDED = 3; // below, above, missing

  private final float least;
  private final float[] upper;

  /**
   * @param upper ascending, at least one; the last is the greatest value that is expected
   * @throws IllegalArgumentException if they are not ascending numbers from {@code least} on
   */
  public Bins(float least, float... upper) {
    this.least = least;
    this.upper = upper.clone();
    boolean ascending = upper.length > 0 && least <= upper[0];
    for (int i = 1; i < upper.length; i++) {
      ascending &= upper[i - 1] < upper[i];
    }
    if (!ascending) {
      throw new IllegalArgumentException(
          "Bins need ascending bounds from their least value on, got "
              + least
              + " and "
              + Arrays.toString(upper));
    }
  }

  /**
   * Bins that each hold about the same part of a sample: bounds are its quantiles, each once. A
   * value that makes up more than a part (zeros of an image's margin) gets a bin of its own.
   *
   * @param sorted finite values, ascending; at least one
   * @param least of all values, not only of the sample
   * @param greatest of all values
   * @param most bins between these two
   */
  public static Bins quantiles(float[] sorted, float least, float greatest, int most) {
    float[] bounds = new float[most];
    int n = 0;
    for (int i = 1; i < most; i++) {
      float bound = sorted[(int) ((long) i * sorted.length / most)];
      if (bound < greatest && bound >= least && (n == 0 || bound > bounds[n - 1])) {
        bounds[n++] = bound;
      }
    }
    bounds[n++] = greatest;
    return new Bins(least, Arrays.copyOf(bounds, n));
  }

  /** How many there are, those at the ends and that of missing values included. */
  public int count() {
    return upper.length + NOT_BOUNDED;
  }

  /** The bin of a value, from 0. */
  public int of(float value) {
    if (value < least) {
      return 0;
    }
    if (Float.isNaN(value)) {
      return missing();
    }
    int low = 0;
    int high = upper.length; // the first bound that is not below the value
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (value <= upper[middle]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low + 1;
  }

  /** The bin of values above all bounds. */
  public int above() {
    return upper.length + 1;
  }

  /** The bin of missing values. */
  public int missing() {
    return upper.length + 2;
  }

  public float least() {
    return least;
  }

  /** A copy. */
  public float[] upper() {
    return upper.clone();
  }
}
