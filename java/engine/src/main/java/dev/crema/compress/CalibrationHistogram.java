package dev.crema.compress;

import dev.crema.op.QuantizationParameters;

/** How often the values of an activation fall into each of 2048 equal parts of their range. */
final class CalibrationHistogram {
  static final int BINS = 2048;

  private static final double OUTSIDE = 1e-4; // share of values that PERCENTILE leaves out
  private static final double MOST_CUT = 0.01; // share of values that ENTROPY may cut off
  private static final int MSE_STEPS = 100;
  private static final int LEVELS = 255;

  private final double low;
  private final double width;
  private final long[] counts = new long[BINS];
  private long total;
  private long zeros; // exact ones, as ReLU and padding give many

  /** Of values from {@code low} to {@code high}. */
  CalibrationHistogram(double low, double high) {
    this.low = low;
    this.width = (high - low) / BINS;
  }

  void add(float value) {
    counts[bin(value)]++;
    total++;
    zeros += value == 0 ? 1 : 0;
  }

  private int bin(double value) {
    int bin = width > 0 ? (int) ((value - low) / width) : 0;
    return Math.max(0, Math.min(BINS - 1, bin));
  }

  private double center(int bin) {
    return low + (bin + 0.5) * width;
  }

  private CalibrationRange whole() {
    return new CalibrationRange(low, low + BINS * width);
  }

  CalibrationRange range(CalibrationMethod method) {
    if (width <= 0 || total == 0) {
      return whole();
    }
    return switch (method) {
      case PERCENTILE -> percentile();
      case ENTROPY -> entropy();
      case MSE -> leastSquares();
      default -> whole();
    };
  }

  private CalibrationRange percentile() {
    double each = OUTSIDE / 2 * total;
    int from = 0;
    for (double below = counts[0]; below <= each; below += counts[from]) {
      from++;
    }
    int to = BINS - 1;
    for (double above = counts[to]; above <= each; above += counts[to]) {
      to--;
    }
    return new CalibrationRange(low + from * width, low + (to + 1) * width);
  }

  private CalibrationRange leastSquares() {
    CalibrationRange best = whole();
    double least = Double.POSITIVE_INFINITY;
    for (int step = MSE_STEPS; step >= 1; step--) {
      double share = (double) step / MSE_STEPS;
      CalibrationRange range = whole().scaled(share);
      double error = squaredError(QuantizationParameters.ofRange(range.low(), range.high()));
      if (error < least) {
        least = error;
        best = range;
      }
    }
    return best;
  }

  /** Of values that lie evenly within their parts; those that are exactly 0 stay so. */
  private double squaredError(QuantizationParameters q) {
    double first = -q.zeroPoint();
    double last = LEVELS - q.zeroPoint();
    double sum = 0;
    for (int i = 0; i < BINS; i++) {
      long count = counts[i] - (i == bin(0) ? zeros : 0);
      if (count == 0) {
        continue;
      }
      double x = center(i) / q.scale();
      double beyond = x - Math.max(first, Math.min(last, x));
      double half = width / 2 / q.scale();
      double error = beyond == 0 ? rounding(x - half, x + half) : beyond * beyond;
      sum += count * error * q.scale() * q.scale();
    }
    return sum;
  }

  /** The mean of the squared distance to the nearest whole number, from a to b. */
  private static double rounding(double a, double b) {
    return (integral(b) - integral(a)) / (b - a);
  }

  /** Of the squared distance to the nearest whole number. */
  private static double integral(double x) {
    double whole = Math.rint(x);
    double rest = x - whole;
    return whole / 12 + rest * rest * rest / 3;
  }

  /**
   * Searches the threshold of the magnitudes; both signs share the levels where there are both.
   * Zeros are exact whatever the threshold: they do not count, where they are many they would
   * outweigh everything. Nor may it cut off more than a few values: where all are far from 0, what
   * is left of cutting off nearly all of them is one level, before and after.
   */
  private CalibrationRange entropy() {
    double most = Math.max(Math.abs(low), Math.abs(low + BINS * width));
    double[] magnitudes = new double[BINS];
    for (int i = 0; i < BINS; i++) {
      int bin = (int) (Math.abs(center(i)) / most * BINS);
      magnitudes[Math.min(BINS - 1, bin)] += counts[i] - (i == bin(0) ? zeros : 0);
    }
    boolean twoSided = low < 0 && low + BINS * width > 0;
    int levels = twoSided ? (LEVELS + 1) / 2 : LEVELS;
    int best = BINS;
    double least = Double.POSITIVE_INFINITY;
    double cut = 0;
    double mostCut = MOST_CUT * (total - zeros);
    for (int bins = BINS; bins >= levels && cut <= mostCut; bins--) {
      cut += magnitudes[bins - 1]; // by the next one
      double divergence = divergence(magnitudes, bins, levels);
      if (divergence < least) {
        least = divergence;
        best = bins;
      }
    }
    double threshold = most * best / BINS;
    return new CalibrationRange(Math.max(low, -threshold), Math.min(low + BINS * width, threshold));
  }

  /**
   * KL(P || Q): P the magnitudes with what lies beyond {@code bins} counted at the end, Q those
   * within, held in {@code levels} and spread over the parts that were not empty.
   */
  private static double divergence(double[] magnitudes, int bins, int levels) {
    double outside = 0;
    for (int i = bins; i < BINS; i++) {
      outside += magnitudes[i];
    }
    double[] q = new double[bins];
    double sum = 0;
    for (int level = 0; level < levels; level++) {
      int from = (int) ((long) bins * level / levels);
      int to = (int) ((long) bins * (level + 1) / levels);
      double inside = 0;
      int occupied = 0;
      for (int i = from; i < to; i++) {
        inside += magnitudes[i];
        occupied += magnitudes[i] > 0 ? 1 : 0;
      }
      for (int i = from; i < to; i++) {
        q[i] = magnitudes[i] > 0 ? inside / occupied : 0;
      }
      sum += inside;
    }
    if (sum == 0) {
      return Double.POSITIVE_INFINITY;
    }
    double total = sum + outside;
    double divergence = 0;
    for (int i = 0; i < bins; i++) {
      double p = magnitudes[i] + (i == bins - 1 ? outside : 0);
      if (p > 0) {
        double held = Math.max(q[i] / sum, 1e-12); // what Q lacks costs much, not everything
        divergence += p / total * Math.log(p / total / held);
      }
    }
    return divergence;
  }
}
