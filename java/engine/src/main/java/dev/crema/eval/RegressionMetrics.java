package dev.crema.eval;

import dev.crema.CremaException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Accumulates the errors of a model that predicts numbers, batch by batch, in double. The variance
 * of the targets is updated and merged as in Chan, Golub and LeVeque 1983, which doesn't cancel.
 *
 * <p>Not thread-safe; see {@link #fresh} and {@link #merge}.
 */
public final class RegressionMetrics {
  private final List<String> names;
  private final double[] means;
  private final double[] deviations;
  private final Sums[] sums;
  private long rows;
  private long nanPredictions;

  /** Running sums of one output. */
  private static final class Sums {
    long count;
    double squared;
    double absolute;
    double signed;
    double max;
    double targetMean;
    // Σ (target − mean)²
    double targetScatter;

    void add(double prediction, double target) {
      count++;
      double error = prediction - target;
      squared += error * error;
      absolute += Math.abs(error);
      signed += error;
      max = Math.max(max, Math.abs(error));
      double delta = target - targetMean;
      targetMean += delta / count;
      targetScatter += delta * (target - targetMean);
    }

    void merge(Sums other) {
      if (other.count == 0) {
        return;
      }
      long both = count + other.count;
      double delta = other.targetMean - targetMean;
      targetScatter += other.targetScatter + delta * delta * count * other.count / both;
      targetMean += delta * other.count / both;
      count = both;
      squared += other.squared;
      absolute += other.absolute;
      signed += other.signed;
      max = Math.max(max, other.max);
    }

    RegressionReport.Output result(String name) {
      return new RegressionReport.Output(
          name,
          count,
          squared / count,
          absolute / count,
          signed / count,
          count == 0 ? Double.NaN : max,
          r2());
    }

    private double r2() {
      if (count < 2) {
        return Double.NaN;
      }
      if (targetScatter == 0) {
        return squared == 0 ? 1 : 0;
      }
      return 1 - squared / targetScatter;
    }
  }

  /** Metrics of outputs with these names: predictions are [rows, outputs]. */
  public RegressionMetrics(List<String> outputNames) {
    this(outputNames, new double[outputNames.size()], ones(outputNames.size()));
  }

  /**
   * Metrics, in the original unit, of outputs that were standardised: a prediction or target v
   * stands for v · deviation + mean.
   *
   * @param outputNames one an output
   * @param means one an output
   * @param deviations one an output, above 0
   */
  public RegressionMetrics(List<String> outputNames, double[] means, double[] deviations) {
    if (outputNames.isEmpty()) {
      throw new IllegalArgumentException("RegressionMetrics: expected 1 output or more, got none.");
    }
    names = List.copyOf(outputNames);
    if (means.length != names.size() || deviations.length != names.size()) {
      throw new IllegalArgumentException(
          "RegressionMetrics: expected a mean and a deviation for each of %s outputs, got %s and %s."
              .formatted(names.size(), means.length, deviations.length));
    }
    this.means = means.clone();
    this.deviations = deviations.clone();
    sums = new Sums[names.size()];
    for (int o = 0; o < sums.length; o++) {
      sums[o] = new Sums();
    }
  }

  /** Metrics of one output. */
  public RegressionMetrics() {
    this(List.of("output"));
  }

  private static double[] ones(int n) {
    double[] ones = new double[n];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** An empty accumulator with the same settings, for another thread. */
  public RegressionMetrics fresh() {
    return new RegressionMetrics(names, means, deviations);
  }

  /**
   * Adds a batch. The buffers are read from their positions, which do not move.
   *
   * @param predictions [rows, outputs]; there may be more than that
   * @param targets [rows, outputs]; there may be more than that
   * @throws CremaException if a target is not finite; nothing of the batch counts
   */
  public void add(FloatBuffer predictions, FloatBuffer targets, int batchRows) {
    int outputs = sums.length;
    Batches.requireElements("predictions", predictions.remaining(), batchRows, outputs);
    Batches.requireElements("targets", targets.remaining(), batchRows, outputs);
    for (int i = 0; i < batchRows * outputs; i++) {
      float target = targets.get(targets.position() + i);
      if (!Float.isFinite(target)) {
        throw new CremaException(
            "Metrics: expected finite targets, got %s in row %s of the batch for output %s."
                .formatted(target, i / outputs, names.get(i % outputs)));
      }
    }
    for (int i = 0; i < batchRows * outputs; i++) {
      float prediction = predictions.get(predictions.position() + i);
      if (Float.isNaN(prediction)) {
        nanPredictions++;
      } else {
        int o = i % outputs;
        sums[o].add(original(prediction, o), original(targets.get(targets.position() + i), o));
      }
    }
    rows += batchRows;
  }

  private double original(double value, int output) {
    return value * deviations[output] + means[output];
  }

  /** Adds a batch: predictions and targets [rows, outputs] in row order. */
  public void add(float[] predictions, float[] targets) {
    int batchRows = predictions.length / sums.length;
    Batches.requireExactly("predictions", predictions.length, batchRows, sums.length);
    Batches.requireExactly("targets", targets.length, batchRows, sums.length);
    add(FloatBuffer.wrap(predictions), FloatBuffer.wrap(targets), batchRows);
  }

  /**
   * Adds all that the other has seen, as if it had been seen here. The other is not changed.
   *
   * @throws IllegalArgumentException if the outputs differ
   */
  public void merge(RegressionMetrics other) {
    boolean same =
        names.equals(other.names)
            && Arrays.equals(means, other.means)
            && Arrays.equals(deviations, other.deviations);
    if (other == this || !same) {
      throw new IllegalArgumentException(
          "RegressionMetrics.merge: expected another accumulator of %s, got one of %s."
              .formatted(names, other.names));
    }
    rows += other.rows;
    nanPredictions += other.nanPredictions;
    for (int o = 0; o < sums.length; o++) {
      sums[o].merge(other.sums[o]);
    }
  }

  /** The metrics of all batches so far; more may be added afterwards. */
  public RegressionReport report() {
    List<RegressionReport.Output> outputs = new ArrayList<>();
    for (int o = 0; o < sums.length; o++) {
      outputs.add(sums[o].result(names.get(o)));
    }
    List<String> warnings =
        nanPredictions == 0
            ? List.of()
            : List.of(
                String.format(
                    Locale.ROOT,
                    "%,d of %,d predictions are NaN and have no part in these figures.",
                    nanPredictions,
                    rows * sums.length));
    return new RegressionReport(rows, nanPredictions, outputs, warnings);
  }
}
