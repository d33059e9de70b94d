package dev.crema.data;

import dev.crema.CremaException;
import java.util.Arrays;
import java.util.BitSet;

/** Chooses the validation part of examples that have numbers. */
final class Stratified {
  private Stratified() {}

  static void checkFraction(double fraction) {
    if (!(fraction > 0 && fraction < 1)) {
      throw new CremaException(
          "A validation split is a fraction between 0 and 1 (both excluded), got " + fraction);
    }
  }

  /**
   * The examples of the validation part. Each class gives the nearest whole number to its share,
   * but keeps at least one example for training, and gives at least one where it has two or more.
   *
   * @param classes class of each example; the same number for all where there are no classes
   */
  static BitSet validation(int[] classes, double fraction, long seed) {
    checkFraction(fraction);
    int[] order = new int[classes.length];
    Arrays.setAll(order, i -> i);
    new Mix(seed).shuffle(order);
    int most = -1;
    for (int c : classes) {
      most = Math.max(most, c);
    }
    int[] wanted = new int[most + 1];
    for (int c : classes) {
      wanted[c]++;
    }
    for (int c = 0; c <= most; c++) {
      int n = wanted[c];
      int share = (int) Math.round(n * fraction);
      wanted[c] = n < 2 ? 0 : Math.min(n - 1, Math.max(1, share));
    }
    BitSet chosen = new BitSet(classes.length);
    for (int i : order) {
      if (wanted[classes[i]] > 0) {
        wanted[classes[i]]--;
        chosen.set(i);
      }
    }
    return chosen;
  }
}
