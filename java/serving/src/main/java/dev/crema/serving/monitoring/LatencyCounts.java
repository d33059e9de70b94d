package dev.crema.serving.monitoring;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts of latencies in bins whose width is an eighth of their power of two: quantiles are right
 * to an eighth. Never reset; what a second brought is the difference of two copies. Thread-safe.
 */
final class LatencyCounts {
  private static final int PARTS_BITS = 3;
  private static final int PARTS = 1 << PARTS_BITS;
  private static final int BINS = Long.SIZE * PARTS;

  private final AtomicLongArray counts = new AtomicLongArray(BINS);

  void add(long nanos) {
    counts.getAndIncrement(bin(Math.max(0, nanos)));
  }

  private static int bin(long nanos) {
    if (nanos < PARTS) {
      return (int) nanos;
    }
    int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos);
    return (power - PARTS_BITS + 1) * PARTS + (int) (nanos >>> power - PARTS_BITS) - PARTS;
  }

  /** The middle of a bin. */
  private static double middle(int bin) {
    if (bin < PARTS) {
      return bin;
    }
    int shift = bin / PARTS - 1;
    return (PARTS + bin % PARTS + 0.5) * (1L << shift);
  }

  long[] copy() {
    long[] copy = new long[BINS];
    for (int i = 0; i < BINS; i++) {
      copy[i] = counts.get(i);
    }
    return copy;
  }

  static long total(long[] copy) {
    long sum = 0;
    for (long count : copy) {
      sum += count;
    }
    return sum;
  }

  /**
   * Nanoseconds that a part of what came between two copies did not exceed; NaN if nothing came.
   */
  static double quantile(long[] before, long[] after, double part) {
    long came = total(after) - total(before);
    if (came == 0) {
      return Double.NaN;
    }
    long rank = Math.max(1, (long) Math.ceil(part * came));
    long seen = 0;
    for (int i = 0; i < BINS; i++) {
      seen += after[i] - before[i];
      if (seen >= rank) {
        return middle(i);
      }
    }
    return Double.NaN;
  }
}
