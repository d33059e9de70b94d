package dev.crema.eval;

import dev.crema.CremaException;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Accumulates the metrics of a model that answers several yes-or-no questions about each example
 * (sigmoid outputs), batch by batch. A label counts as predicted if its probability is above 0.5.
 *
 * <p>Memory: for the exact ROC AUC 8 bytes for each score seen, up to the limit given.
 *
 * <p>Not thread-safe; see {@link #fresh} and {@link #merge}.
 */
public final class MultiLabelMetrics {
  private static final long DEFAULT_ROC_AUC_MEMORY = 256L << 20;
  private static final double SMALLEST_PROBABILITY = 0x1p-23;

  private final List<String> names;
  private final Scores scores;
  private final long rocAucMemory;
  private final long[] truePositives;
  private final long[] predicted;
  private final long[] support;
  private final ScoreLog[] logs;
  private final CalibrationCounts calibration = new CalibrationCounts();
  private final double[] score = new double[1];
  private long rows;
  private long nanScores;
  private long right;
  private long exact;
  private double logLoss;

  /** Metrics of labels with these names, keeping up to 256 MiB of scores for the ROC AUC. */
  public MultiLabelMetrics(List<String> labelNames, Scores scores) {
    this(labelNames, scores, DEFAULT_ROC_AUC_MEMORY);
  }

  /**
   * @param labelNames one a label
   * @param scores what the model gives
   * @param rocAucMemory bytes that may be kept for the exact ROC AUC; 0 leaves it out
   */
  public MultiLabelMetrics(List<String> labelNames, Scores scores, long rocAucMemory) {
    if (labelNames.isEmpty()) {
      throw new IllegalArgumentException("MultiLabelMetrics: expected 1 label or more, got none.");
    }
    names = List.copyOf(labelNames);
    this.scores = scores;
    this.rocAucMemory = rocAucMemory;
    int labels = names.size();
    truePositives = new long[labels];
    predicted = new long[labels];
    support = new long[labels];
    logs =
        IntStream.range(0, labels)
            .mapToObj(l -> new ScoreLog(1, rocAucMemory / labels))
            .toArray(ScoreLog[]::new);
  }

  /** An empty accumulator with the same settings, for another thread. */
  public MultiLabelMetrics fresh() {
    return new MultiLabelMetrics(names, scores, rocAucMemory);
  }

  /**
   * Adds a batch. The buffers are read from their positions, which do not move.
   *
   * @param predictions [rows, labels]; there may be more than that
   * @param targets [rows, labels], 0 or 1; there may be more than that
   * @throws CremaException if a target or a probability is out of range; nothing of the batch
   *     counts
   */
  public void add(FloatBuffer predictions, FloatBuffer targets, int batchRows) {
    int labels = names.size();
    Batches.requireElements("scores", predictions.remaining(), batchRows, labels);
    Batches.requireElements("targets", targets.remaining(), batchRows, labels);
    for (int i = 0; i < batchRows * labels; i++) {
      Batches.binary(targets.get(targets.position() + i), i / labels, i % labels);
    }
    if (scores == Scores.PROBABILITIES) {
      Batches.requireProbabilities(predictions, batchRows, labels);
    }
    for (int r = 0; r < batchRows; r++) {
      int wrong = 0;
      for (int l = 0; l < labels; l++) {
        int i = r * labels + l;
        boolean there = targets.get(targets.position() + i) == 1;
        wrong += addScore(l, predictions.get(predictions.position() + i), there) ? 0 : 1;
      }
      rows++;
      right += labels - wrong;
      exact += wrong == 0 ? 1 : 0;
    }
  }

  /** Adds a batch: scores and targets [rows, labels] in row order. */
  public void add(float[] predictions, float[] targets) {
    int batchRows = predictions.length / names.size();
    Batches.requireExactly("scores", predictions.length, batchRows, names.size());
    Batches.requireExactly("targets", targets.length, batchRows, names.size());
    add(FloatBuffer.wrap(predictions), FloatBuffer.wrap(targets), batchRows);
  }

  /** Whether the prediction is right. */
  private boolean addScore(int label, double value, boolean there) {
    support[label] += there ? 1 : 0;
    boolean logits = scores == Scores.LOGITS;
    if (Double.isNaN(value) || Double.isInfinite(value)) {
      nanScores++;
      return false;
    }
    double probability = logits ? 1 / (1 + Math.exp(-value)) : Math.min(1, Math.max(0, value));
    boolean yes = logits ? value > 0 : value > 0.5;
    predicted[label] += yes ? 1 : 0;
    truePositives[label] += yes && there ? 1 : 0;
    if (logits) {
      double margin = there ? value : -value;
      // ln(1 + e^−m), written so that the exponential doesn't overflow
      logLoss += Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)));
    } else {
      logLoss -= Math.log(Math.max(there ? probability : 1 - probability, SMALLEST_PROBABILITY));
    }
    calibration.add(probability, there);
    score[0] = value;
    logs[label].add(score, there ? 1 : 0);
    return yes == there;
  }

  /**
   * Adds all that the other has seen, as if it had been seen here. The other is not changed.
   *
   * @throws IllegalArgumentException if the settings differ
   */
  public void merge(MultiLabelMetrics other) {
    if (other == this || scores != other.scores || !names.equals(other.names)) {
      throw new IllegalArgumentException(
          "MultiLabelMetrics.merge: expected another accumulator of %s %s, got one of %s %s."
              .formatted(scores, names, other.scores, other.names));
    }
    rows += other.rows;
    nanScores += other.nanScores;
    right += other.right;
    exact += other.exact;
    logLoss += other.logLoss;
    calibration.merge(other.calibration);
    for (int l = 0; l < logs.length; l++) {
      truePositives[l] += other.truePositives[l];
      predicted[l] += other.predicted[l];
      support[l] += other.support[l];
      logs[l].merge(other.logs[l]);
    }
  }

  /** The metrics of all batches so far; more may be added afterwards. */
  public MultiLabelReport report() {
    List<ClassScores> labels = new ArrayList<>();
    long[] sums = new long[3];
    for (int l = 0; l < logs.length; l++) {
      double auc = logs[l].auc(0, 1);
      labels.add(ClassScores.of(names.get(l), truePositives[l], predicted[l], support[l], auc));
      sums[0] += truePositives[l];
      sums[1] += predicted[l];
      sums[2] += support[l];
    }
    long predictions = rows * names.size();
    return new MultiLabelReport(
        rows,
        nanScores,
        (double) exact / rows,
        (double) right / predictions,
        labels,
        AverageScores.macro(labels),
        AverageScores.micro(sums[0], sums[1], sums[2]),
        AverageScores.weighted(labels),
        labels.stream()
            .mapToDouble(ClassScores::rocAuc)
            .filter(auc -> !Double.isNaN(auc))
            .average()
            .orElse(Double.NaN),
        logLoss / (predictions - nanScores),
        calibration.result(),
        warnings(predictions));
  }

  private List<String> warnings(long predictions) {
    List<String> warnings = new ArrayList<>();
    if (nanScores > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "%,d of %,d predictions are NaN or infinite: they count as wrong, and have no part in"
                  + " log loss, ROC AUC and calibration error.",
              nanScores,
              predictions));
    }
    if (rocAucMemory > 0 && Arrays.stream(logs).anyMatch(ScoreLog::isDropped)) {
      warnings.add(ScoreLog.droppedWarning(rocAucMemory));
    }
    return warnings;
  }
}
