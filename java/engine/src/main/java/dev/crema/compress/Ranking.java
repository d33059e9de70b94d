package dev.crema.compress;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds the smallest of many ranks in two passes, without sorting them. A rank is 0 for what is
 * pruned already, else 1 more than the bits of a float that is not negative.
 */
final class Ranking {
  /** Of what is pruned already: below all others. */
  static final int PRUNED = 0;

  private static final int HALF = 16;

  private Ranking() {}

  /** The rank of a magnitude that is not NaN. */
  static int of(double magnitude) {
    return Float.floatToRawIntBits((float) magnitude) + 1;
  }

  /** Marks that share of each list, and leaves one of each. */
  static List<boolean[]> ofEach(List<int[]> ranks, double share) {
    List<boolean[]> marks = new ArrayList<>();
    for (int[] of : ranks) {
      long count = Math.max(0, Math.min(of.length - 1, Math.round(share * of.length)));
      marks.addAll(smallest(List.of(of), count));
    }
    return marks;
  }

  /** Marks that share of all lists together, and leaves the largest of each. */
  static List<boolean[]> ofAll(List<int[]> ranks, double share) {
    long all = ranks.stream().mapToLong(of -> of.length).sum();
    long count = Math.max(0, Math.min(all - 1, Math.round(share * all)));
    List<boolean[]> marks = smallest(ranks, count);
    for (int i = 0; i < marks.size(); i++) {
      int[] of = ranks.get(i);
      int largest = 0;
      for (int k = 1; k < of.length; k++) {
        largest = of[k] > of[largest] ? k : largest;
      }
      if (of.length > 0) {
        marks.get(i)[largest] = false;
      }
    }
    return marks;
  }

  /** Marks the {@code count} smallest ranks; of equal ones the first. */
  private static List<boolean[]> smallest(List<int[]> ranks, long count) {
    int[] high = new int[1];
    long before = bucket(ranks, count, r -> r >>> HALF, high);
    int[] low = new int[1];
    long rest = count - before;
    before += bucket(ranks, rest, r -> r >>> HALF == high[0] ? r & (1 << HALF) - 1 : -1, low);
    int limit = high[0] << HALF | low[0];
    long equal = count - before;
    List<boolean[]> marks = new ArrayList<>();
    for (int[] of : ranks) {
      boolean[] marked = new boolean[of.length];
      for (int k = 0; k < of.length; k++) {
        marked[k] = of[k] < limit || of[k] == limit && equal-- > 0;
      }
      marks.add(marked);
    }
    return marks;
  }

  private interface Digit {
    /** -1 for a rank that does not count. */
    int of(int rank);
  }

  /**
   * The digit of the first rank that is not among the {@code count} smallest, and how many lie
   * below.
   */
  private static long bucket(List<int[]> ranks, long count, Digit digit, int[] found) {
    long[] histogram = new long[1 << HALF];
    for (int[] of : ranks) {
      for (int rank : of) {
        int d = digit.of(rank);
        if (d >= 0) {
          histogram[d]++;
        }
      }
    }
    long below = 0;
    int d = 0;
    while (d < histogram.length - 1 && below + histogram[d] <= count) {
      below += histogram[d++];
    }
    found[0] = d;
    return below;
  }
}
