package dev.crema.eval.drift;

/**
 * How far two distributions over the same bins lie apart. Symmetric; 0 if they are the same. NaN if
 * one of them counted nothing.
 */
public final class Drift {
  /**
   * What is added to each count before its logarithm is taken (Krichevsky and Trofimov 1981), so
   * that an empty bin does not make the index infinite.
   */
  private static final double PRIOR = 0.5;

  private static final double LOG_2 = Math.log(2);

  private Drift() {}

  /**
   * The population stability index: Σ (q − p) · ln(q / p). Above 0.1 is usually called a moderate
   * change, above 0.25 a great one. Of samples of n and m examples without any change about (bins −
   * 1) · (1/n + 1/m) is to be expected.
   */
  public static double stabilityIndex(long[] expected, long[] actual) {
    double n = total(expected, actual);
    double m = total(actual, expected);
    if (n == 0 || m == 0) {
      return Double.NaN;
    }
    double more = PRIOR * expected.length;
    double sum = 0;
    for (int i = 0; i < expected.length; i++) {
      double p = (expected[i] + PRIOR) / (n + more);
      double q = (actual[i] + PRIOR) / (m + more);
      sum += (q - p) * Math.log(q / p);
    }
    return sum;
  }

  /**
   * The Jensen-Shannon divergence (Lin 1991) in bits: 0 for the same distribution, 1 for two that
   * share no bin.
   */
  public static double jensenShannon(long[] expected, long[] actual) {
    double n = total(expected, actual);
    double m = total(actual, expected);
    if (n == 0 || m == 0) {
      return Double.NaN;
    }
    double sum = 0;
    for (int i = 0; i < expected.length; i++) {
      double p = expected[i] / n;
      double q = actual[i] / m;
      double middle = (p + q) / 2;
      sum += term(p, middle) + term(q, middle);
    }
    return Math.max(0, sum / 2 / LOG_2); // rounding
  }

  private static double term(double part, double middle) {
    return part == 0 ? 0 : part * Math.log(part / middle);
  }

  private static double total(long[] counts, long[] other) {
    if (counts.length != other.length) {
      throw new IllegalArgumentException(
          "Histograms of " + counts.length + " and " + other.length + " bins can't be compared");
    }
    long sum = 0;
    for (long count : counts) {
      sum += count;
    }
    return sum;
  }
}
