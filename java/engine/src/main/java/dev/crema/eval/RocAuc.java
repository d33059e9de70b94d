package dev.crema.eval;

import java.util.Arrays;

/**
 * Area under the receiver operating characteristic: the chance that a positive example has a higher
 * score than a negative one, ties counting half (Hanley and McNeil 1982). Exact: no thresholds are
 * sampled.
 */
public final class RocAuc {
  private RocAuc() {}

  /**
   * @param scores one an example, not NaN; only their order matters. Not modified
   * @param positive whether each example is positive
   * @return 0 to 1; NaN without a positive or without a negative example
   * @throws IllegalArgumentException if the lengths differ or a score is NaN
   */
  public static double of(float[] scores, boolean[] positive) {
    if (scores.length != positive.length) {
      throw new IllegalArgumentException(
          "RocAuc: expected as many labels as scores, got %s and %s."
              .formatted(positive.length, scores.length));
    }
    long[] keys = new long[scores.length];
    for (int i = 0; i < keys.length; i++) {
      if (Float.isNaN(scores[i])) {
        throw new IllegalArgumentException("RocAuc: score " + i + " is NaN, which has no order.");
      }
      keys[i] = key(scores[i], positive[i]);
    }
    return ofKeys(keys);
  }

  /** A number that orders by score, whose lowest bit tells a positive example. */
  static long key(float score, boolean positive) {
    // Adding 0 makes -0 and 0 one score.
    int bits = Float.floatToIntBits(score + 0.0f);
    // Negative floats order backwards as integers.
    int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    return ((long) ordered << 1) | (positive ? 1 : 0);
  }

  /** Sorts the keys. */
  static double ofKeys(long[] keys) {
    Arrays.sort(keys);
    long positives = 0;
    long negatives = 0;
    // Twice the number of pairs in the right order: 2 · 2³⁰ · 2³⁰ at the most, so it fits.
    long twiceWon = 0;
    for (int i = 0; i < keys.length; ) {
      long score = keys[i] >> 1;
      long tiedPositives = 0;
      long tiedNegatives = 0;
      for (; i < keys.length && keys[i] >> 1 == score; i++) {
        if ((keys[i] & 1) == 1) {
          tiedPositives++;
        } else {
          tiedNegatives++;
        }
      }
      twiceWon += tiedPositives * (2 * negatives + tiedNegatives);
      positives += tiedPositives;
      negatives += tiedNegatives;
    }
    // 0 / 0 is NaN.
    return twiceWon / (2.0 * positives * negatives);
  }
}
