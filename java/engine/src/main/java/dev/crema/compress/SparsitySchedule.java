package dev.crema.compress;

import java.util.Locale;

/**
 * How the sparsity grows over the steps t of a training (updates of the parameters; 0 is before the
 * first): s(t) = s_f + (s_0 − s_f)(1 − (t − t_0) / (t_n − t_0))³ from t_0 to t_n (Zhu and Gupta
 * 2017), nothing before t_0, s_f after t_n.
 *
 * @param initial s_0, in [0, target]
 * @param target s_f, in (0, 1)
 * @param begin t_0
 * @param end t_n; with {@code begin} the same, all is pruned at once
 * @param frequency steps from one pruning to the next
 */
public record SparsitySchedule(
    double initial, double target, long begin, long end, long frequency) {
  private static final double PRUNING_SHARE = 2 / 3.0;
  private static final int MOST_STEPS_BETWEEN = 100;
  private static final int PRUNINGS = 20;

  public SparsitySchedule {
    requireTarget(target);
    if (!(initial >= 0 && initial <= target)) {
      throw new IllegalArgumentException(
          "The initial sparsity lies between 0 and the target " + target + ", got " + initial);
    }
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException(
          "Pruning begins at step 0 or later and does not end before, got steps "
              + begin
              + " to "
              + end);
    }
    if (frequency < 1) {
      throw new IllegalArgumentException("The frequency is at least one step, got " + frequency);
    }
  }

  static void requireTarget(double sparsity) {
    if (!(sparsity > 0 && sparsity < 1)) {
      throw new IllegalArgumentException(
          "The sparsity is the share of weights that become 0: above 0 and below 1, got "
              + sparsity);
    }
  }

  /** All at once, before the first step. */
  public static SparsitySchedule constant(double sparsity) {
    return constant(sparsity, 0);
  }

  /** All at once, after that many steps. */
  public static SparsitySchedule constant(double sparsity, long begin) {
    return new SparsitySchedule(sparsity, sparsity, begin, begin, 1);
  }

  /** From one sparsity to another, fast at first and slower and slower; every 100 steps. */
  public static SparsitySchedule polynomial(double initial, double target, long begin, long end) {
    return new SparsitySchedule(initial, target, begin, end, MOST_STEPS_BETWEEN);
  }

  /**
   * As {@link #polynomial}, over the first two thirds of a training of that many steps: the rest is
   * for what is left to recover. Prunes twenty times, or every 100 steps if that is more often.
   */
  public static SparsitySchedule overTraining(double initial, double target, long steps) {
    long end = Math.max(1, Math.round(steps * PRUNING_SHARE));
    long between = Math.max(1, Math.min(MOST_STEPS_BETWEEN, end / PRUNINGS));
    return polynomial(initial, target, 0, end).every(between);
  }

  /** The same with other steps from one pruning to the next. */
  public SparsitySchedule every(long steps) {
    return new SparsitySchedule(initial, target, begin, end, steps);
  }

  /** The sparsity after {@code step} updates. */
  public double at(long step) {
    if (step < begin) {
      return 0;
    }
    if (step >= end) {
      return target;
    }
    double left = 1 - (double) (step - begin) / (end - begin);
    return target + (initial - target) * left * left * left;
  }

  /** Whether weights are pruned after {@code step} updates. */
  public boolean prunesAt(long step) {
    return step == end || step >= begin && step < end && (step - begin) % frequency == 0;
  }

  @Override
  public String toString() {
    return begin == end
        ? String.format(Locale.ROOT, "%s at step %d", target, begin)
        : String.format(
            Locale.ROOT,
            "%s to %s, steps %d to %d, every %d",
            initial,
            target,
            begin,
            end,
            frequency);
  }
}
