package dev.crema.compress;

import dev.crema.eval.plot.Axes;
import dev.crema.eval.plot.Plot;
import dev.crema.eval.plot.Series;
import java.util.ArrayList;
import java.util.List;

/** Draws what a {@link Compression} tried: how well it does against what it costs. */
record ParetoPlot(Target target, Quality quality, double maxAccuracyDrop) {
  private static final double LEAST_SHOWN = 0.02; // below the original
  private static final double DROPS_SHOWN = 4;

  /**
   * @param trials the original first
   */
  Plot of(List<Trial> trials, List<Trial> front) {
    List<Trial> made =
        trials.stream().filter(t -> t.figures() != null && Double.isFinite(accuracy(t))).toList();
    double[] all = made.stream().mapToDouble(this::cost).sorted().toArray();
    double[] ends = {all[0], all[all.length - 1]};
    double before = accuracy(trials.get(0));
    double limit = before - maxAccuracyDrop;
    List<Series> series = new ArrayList<>();
    List<String> labels =
        front.stream().map(t -> t.outcome() == Trial.Outcome.KEPT ? "" : t.name()).toList();
    series.add(line("Pareto front", front).withLabels(labels));
    series.add(points("refused", made, Trial.Outcome.REFUSED));
    series.add(points("passed", made, Trial.Outcome.PASSED));
    series.add(points("original", made, Trial.Outcome.ORIGINAL));
    List<Trial> kept = made.stream().filter(t -> t.outcome() == Trial.Outcome.KEPT).toList();
    series.add(
        points("kept", made, Trial.Outcome.KEPT)
            .withLabels(kept.stream().map(Trial::name).toList()));
    series.add(
        Series.reference(
            "least " + quality + " allowed", ends, new double[] {shown(limit), shown(limit)}));
    double highest = made.stream().mapToDouble(this::accuracy).max().orElseThrow();
    double lowest = made.stream().mapToDouble(this::accuracy).min().orElseThrow();
    double least =
        Math.max(
            Math.min(lowest, limit), before - Math.max(LEAST_SHOWN, DROPS_SHOWN * maxAccuracyDrop));
    double margin = Math.max(1e-6, (highest - least) / 12);
    long below = made.stream().filter(t -> accuracy(t) < least).count();
    Axes axes =
        Axes.of(
                below == 0 ? "" : below + " of " + made.size() + " lie below",
                target == Target.SIZE
                    ? "file size (kB)"
                    : "latency (µs, geometric mean of batch 1 and 32)",
                quality + (quality == Quality.R2 ? "" : " (%)"),
                series.toArray(new Series[0]))
            .withLogX()
            .withYRange(shown(least - margin), shown(highest + margin));
    return Plot.of("What was tried, and what it costs", axes);
  }

  private Series line(String name, List<Trial> trials) {
    return Series.line(name, costs(trials), accuracies(trials));
  }

  private Series points(String name, List<Trial> trials, Trial.Outcome outcome) {
    List<Trial> some = trials.stream().filter(t -> t.outcome() == outcome).toList();
    return Series.points(some.isEmpty() ? "" : name, costs(some), accuracies(some));
  }

  private double[] costs(List<Trial> trials) {
    return trials.stream().mapToDouble(this::cost).toArray();
  }

  private double[] accuracies(List<Trial> trials) {
    return trials.stream().mapToDouble(t -> shown(accuracy(t))).toArray();
  }

  private double accuracy(Trial t) {
    return quality.in(t.figures().evaluation());
  }

  /** In kilobytes or microseconds. */
  private double cost(Trial t) {
    return target.cost(t.figures()) / 1e3;
  }

  private double shown(double accuracy) {
    return quality == Quality.R2 ? accuracy : 100 * accuracy;
  }
}
