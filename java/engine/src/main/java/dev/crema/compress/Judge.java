package dev.crema.compress;

import dev.crema.train.Evaluation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Says which forms of a model are accurate enough and pay, and which is the best of them. */
final class Judge {
  /** A form that is less than this better is no faster: clocks differ by as much between runs. */
  static final double LEAST_GAIN = 0.05;

  private static final double ROUNDING = 1e-9; // of differences between accuracies

  private final Target target;
  private final double maxAccuracyDrop;
  private final Quality quality;
  private final Figures original;

  Judge(Compression settings, Quality quality, Figures original) {
    this.target = settings.target;
    this.maxAccuracyDrop = settings.maxAccuracyDrop;
    this.quality = quality;
    this.original = original;
  }

  /** How well it does; more is better, and no number worse than any. */
  double qualityOf(Attempt attempt) {
    double value =
        attempt.figures() == null ? Double.NaN : quality.in(attempt.figures().evaluation());
    return Double.isNaN(value) ? Double.NEGATIVE_INFINITY : value;
  }

  /** Why the accuracy is not enough, or null. */
  String lossOfAccuracy(Evaluation before, Evaluation after) {
    if (!Double.isFinite(after.loss())) {
      return "its loss is " + after.loss();
    }
    double drop = quality.in(before) - quality.in(after);
    return drop <= maxAccuracyDrop + ROUNDING
        ? null
        : quality
            + " falls by "
            + quality.fall(drop)
            + ", allowed are "
            + quality.fall(maxAccuracyDrop);
  }

  /** Why it does not pay, or null. */
  String lossOfCost(Attempt attempt) {
    Figures f = attempt.figures();
    if (target == Target.SIZE) {
      return f.fileBytes() < original.fileBytes()
          ? null
          : ratio("no smaller: %.3f times the file", f.fileBytes(), original.fileBytes());
    }
    double noise = Math.max(FairClock.SAME, attempt.noise());
    if (f.nanosOf1() > original.nanosOf1() * (1 + noise)) {
      return ratio("slower at batch 1: %.2f times as long", f.nanosOf1(), original.nanosOf1());
    }
    if (f.nanosOf32() > original.nanosOf32() * (1 + noise)) {
      return ratio("slower at batch 32: %.2f times as long", f.nanosOf32(), original.nanosOf32());
    }
    double before = Target.LATENCY.cost(original);
    double after = Target.LATENCY.cost(f);
    if (after <= before * (1 - Math.max(LEAST_GAIN, attempt.noise()))) {
      return null;
    }
    return ratio("no faster: %.2f times as long", after, before)
        + (after > before * (1 - LEAST_GAIN)
            ? ""
            : String.format(
                Locale.ROOT,
                ", where the original differs from itself by %.0f %%",
                100 * attempt.noise()));
  }

  private static String ratio(String text, double after, double before) {
    return String.format(Locale.ROOT, text, after / before);
  }

  /**
   * The best first.
   *
   * @param all in the order of trying
   */
  List<Attempt> ranked(List<Attempt> all) {
    List<Attempt> left = new ArrayList<>(all);
    List<Attempt> ranked = new ArrayList<>();
    while (!left.isEmpty()) {
      double least = left.stream().mapToDouble(this::cost).min().orElseThrow();
      Attempt best =
          left.stream()
              .filter(a -> cost(a) <= least * (1 + FairClock.SAME))
              .min(
                  Comparator.comparingDouble((Attempt a) -> -qualityOf(a))
                      .thenComparingDouble(a -> target.other().cost(a.figures())))
              .orElseThrow();
      ranked.add(best);
      left.remove(best);
    }
    return ranked;
  }

  /** Why one that passed is not kept. */
  String passedOver(Attempt a, Attempt kept) {
    double difference = Math.abs(cost(a) - cost(kept));
    return difference <= FairClock.SAME * Math.min(cost(a), cost(kept))
        ? "as good, and what is kept is no less accurate"
        : "what is kept is " + target.better();
  }

  private double cost(Attempt attempt) {
    return target.cost(attempt.figures());
  }
}
