package dev.crema.eval.plot;

import java.util.Arrays;

/** Leaves out points of a long line that no eye could see. */
final class Thinning {
  private static final double COLUMN = 0.5;
  private static final int SHORT = 2000;

  private Thinning() {}

  /**
   * Of consecutive points in the same half pixel of width, the first, the last, the highest and the
   * lowest are kept: the line covers the same pixels.
   *
   * @return x and y of the points that are left, in their order
   */
  static double[][] perPixel(double[] x, double[] y) {
    if (x.length <= SHORT) {
      return new double[][] {x, y};
    }
    double[] keptX = new double[x.length];
    double[] keptY = new double[x.length];
    int n = 0;
    for (int start = 0; start < x.length; ) {
      int end = start;
      int low = start;
      int high = start;
      while (end < x.length && Math.floor(x[end] / COLUMN) == Math.floor(x[start] / COLUMN)) {
        low = y[end] < y[low] ? end : low;
        high = y[end] > y[high] ? end : high;
        end++;
      }
      int[] kept = {start, low, high, end - 1};
      Arrays.sort(kept);
      for (int k = 0; k < kept.length; k++) {
        if (k == 0 || kept[k] != kept[k - 1]) {
          keptX[n] = x[kept[k]];
          keptY[n++] = y[kept[k]];
        }
      }
      start = end;
    }
    return new double[][] {Arrays.copyOf(keptX, n), Arrays.copyOf(keptY, n)};
  }
}
