package dev.crema.cli.load;

import java.util.function.DoubleFunction;

/** Looks for the highest rate that a server keeps up with. */
public final class Search {
  private static final double CLOSE_ENOUGH = 1.05;
  private static final double HIGHEST = 10_000_000;

  private Search() {}

  /**
   * Doubles the rate until it is too much, then halves the interval to 5 %.
   *
   * @param first rate that is tried
   * @param p99Millis limit of the 99th percentile
   * @param trial loads the server at a rate
   * @return the trial with the highest rate that was good; null if none was
   */
  public static LoadResult highestRate(
      double first, double p99Millis, DoubleFunction<LoadResult> trial) {
    LoadResult best = null;
    double good = 0;
    double bad = Double.POSITIVE_INFINITY;
    double rate = first;
    while (rate < HIGHEST && rate >= 1 && bad / Math.max(good, 1) > CLOSE_ENOUGH) {
      LoadResult result = trial.apply(rate);
      if (!result.failed() && result.millis(99) <= p99Millis) {
        good = rate;
        best = result;
      } else {
        bad = rate;
      }
      rate =
          bad == Double.POSITIVE_INFINITY ? good * 2 : good == 0 ? bad / 2 : Math.sqrt(good * bad);
    }
    return best;
  }
}
