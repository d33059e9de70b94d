package dev.crema.eval;

import dev.crema.CremaException;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Accumulates the metrics of a classifier whose examples have one class each, batch by batch. Sums
 * are kept in double and long.
 *
 * <p>Memory: classes² counts, and for the exact ROC AUC 4 bytes for each score and label seen (one
 * score an example with two classes, else one a class), up to {@link Builder#rocAucMemory}.
 *
 * <p>Not thread-safe; see {@link #fresh} and {@link #merge}.
 */
public final class ClassificationMetrics {
  // The step of float32 at 1: a probability of 0 costs 15.9 rather than infinity.
  private static final double SMALLEST_PROBABILITY = 0x1p-23;

  private record Settings(
      List<String> names, int columns, Scores scores, int topK, long rocAucMemory) {}

  private final Settings settings;
  private final int classes;
  private final long[][] confusion;
  private final CalibrationCounts calibration = new CalibrationCounts();
  private final ScoreLog log;
  private final double[] row;
  private final double[] probabilities;
  // ln Σ exp(row), for logits
  private double logNormaliser;
  private long rows;
  private long nanRows;
  private long topKHits;
  private double logLoss;

  private ClassificationMetrics(Settings settings) {
    this.settings = settings;
    classes = settings.names.size();
    confusion = new long[classes][classes + 1];
    log = new ScoreLog(classes == 2 ? 1 : classes, settings.rocAucMemory);
    row = new double[classes];
    probabilities = new double[classes];
  }

  /** Settings of a {@link ClassificationMetrics}. */
  public static final class Builder {
    private final int classes;
    private List<String> names;
    private int columns;
    private Scores scores = Scores.PROBABILITIES;
    private int topK = 5;
    private long rocAucMemory = 256L << 20;

    private Builder(int classes) {
      if (classes < 1) {
        throw new IllegalArgumentException(
            "ClassificationMetrics: expected 1 class or more, got " + classes + ".");
      }
      this.classes = classes;
      columns = classes;
      names = IntStream.range(0, classes).mapToObj(Integer::toString).toList();
    }

    /** Names for reports, one a class; their numbers unless set. */
    public Builder classNames(List<String> classNames) {
      if (classNames.size() != classes) {
        throw new IllegalArgumentException(
            "ClassificationMetrics: expected %s class names, got %s: %s."
                .formatted(classes, classNames.size(), classNames));
      }
      names = List.copyOf(classNames);
      return this;
    }

    /** What the model gives; {@link Scores#PROBABILITIES} unless set. */
    public Builder scores(Scores kind) {
      scores = kind;
      return this;
    }

    /** Guesses of the top-k accuracy, 5 unless set; more than there are classes means all. */
    public Builder topK(int k) {
      if (k < 1) {
        throw new IllegalArgumentException("ClassificationMetrics: top-k needs k ≥ 1, got " + k);
      }
      topK = k;
      return this;
    }

    /**
     * Bytes that may be kept for the exact ROC AUC, 256 MiB unless set; 0 leaves it out. With more
     * scores than that the AUC is NaN and the report says so.
     */
    public Builder rocAucMemory(long bytes) {
      rocAucMemory = bytes;
      return this;
    }

    public ClassificationMetrics build() {
      return new ClassificationMetrics(
          new Settings(names, columns, scores, Math.min(topK, classes), rocAucMemory));
    }
  }

  /** Metrics of a model that gives scores of shape [rows, classes]. */
  public static Builder builder(int classes) {
    return new Builder(classes);
  }

  /** Metrics of a model with two classes and one score, that of class 1 (sigmoid): [rows, 1]. */
  public static Builder binary() {
    Builder builder = new Builder(2);
    builder.columns = 1;
    return builder;
  }

  /** An empty accumulator with the same settings, for another thread. */
  public ClassificationMetrics fresh() {
    return new ClassificationMetrics(settings);
  }

  /**
   * Adds a batch. The buffers are read from their positions, which do not move.
   *
   * @param scores [rows, columns]; there may be more than that
   * @param labels [rows], 0 to classes − 1; there may be more than that
   * @throws CremaException if a label or a probability is out of range; nothing of the batch counts
   */
  public void add(FloatBuffer scores, IntBuffer labels, int batchRows) {
    Batches.requireElements("scores", scores.remaining(), batchRows, settings.columns);
    Batches.requireElements("labels", labels.remaining(), batchRows, 1);
    Batches.requireLabels(labels, batchRows, settings.names);
    if (settings.scores == Scores.PROBABILITIES) {
      Batches.requireProbabilities(scores, batchRows, settings.columns);
    }
    int base = scores.position();
    for (int r = 0; r < batchRows; r++) {
      addRow(scores, base + r * settings.columns, labels.get(labels.position() + r));
    }
  }

  /**
   * Adds a batch whose labels are given as the losses take them: one-hot [rows, classes], of which
   * the highest (the first of equal ones) is the label; or, for one score a row, 0 or 1.
   *
   * @throws CremaException if a target is NaN, or a probability is out of range
   */
  public void add(FloatBuffer scores, FloatBuffer targets, int batchRows) {
    boolean oneHot = settings.columns == classes;
    add(scores, Batches.labels(targets, batchRows, settings.columns, oneHot), batchRows);
  }

  /** Adds a batch: scores [rows, columns] in row order, labels [rows]. */
  public void add(float[] scores, int[] labels) {
    Batches.requireExactly("scores", scores.length, labels.length, settings.columns);
    add(FloatBuffer.wrap(scores), IntBuffer.wrap(labels), labels.length);
  }

  /**
   * Adds all that the other has seen, as if it had been seen here. The other is not changed.
   *
   * @throws IllegalArgumentException if the settings differ
   */
  public void merge(ClassificationMetrics other) {
    if (!settings.equals(other.settings)) {
      throw new IllegalArgumentException(
          "ClassificationMetrics.merge: expected the same settings, got %s and %s; use fresh()."
              .formatted(settings, other.settings));
    }
    if (other == this) {
      throw new IllegalArgumentException("ClassificationMetrics.merge: merged with itself.");
    }
    rows += other.rows;
    nanRows += other.nanRows;
    topKHits += other.topKHits;
    logLoss += other.logLoss;
    calibration.merge(other.calibration);
    log.merge(other.log);
    for (int a = 0; a < classes; a++) {
      for (int p = 0; p <= classes; p++) {
        confusion[a][p] += other.confusion[a][p];
      }
    }
  }

  /** The metrics of all batches so far; more may be added afterwards. */
  public ClassificationReport report() {
    var matrix = new ConfusionMatrix(settings.names, confusion);
    List<ClassScores> perClass = new ArrayList<>();
    double aucSum = 0;
    int aucs = 0;
    double secondAuc = classes == 2 ? log.auc(0, 1) : Double.NaN;
    for (int c = 0; c < classes; c++) {
      // One score tells two classes apart: the AUC of either is the same.
      double auc = classes == 2 ? secondAuc : log.auc(c, c);
      if (!Double.isNaN(auc)) {
        aucSum += auc;
        aucs++;
      }
      perClass.add(
          ClassScores.of(
              settings.names.get(c), confusion[c][c], matrix.predicted(c), matrix.support(c), auc));
    }
    long valid = rows - nanRows;
    return new ClassificationReport(
        rows,
        nanRows,
        (double) matrix.correct() / rows,
        settings.topK,
        (double) topKHits / rows,
        perClass,
        AverageScores.macro(perClass),
        AverageScores.micro(matrix.correct(), valid, rows),
        AverageScores.weighted(perClass),
        aucSum / aucs,
        logLoss / valid,
        calibration.result(),
        matrix,
        warnings());
  }

  private List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (nanRows > 0) {
      warnings.add(
          String.format(
              Locale.ROOT,
              "%,d of %,d predictions are NaN: they count as wrong, and have no part in log loss,"
                  + " ROC AUC and calibration error.",
              nanRows,
              rows));
    }
    if (settings.rocAucMemory > 0 && log.isDropped()) {
      warnings.add(ScoreLog.droppedWarning(settings.rocAucMemory));
    }
    return warnings;
  }

  private void addRow(FloatBuffer scores, int base, int label) {
    rows++;
    boolean valid = loadRow(scores, base) && toProbabilities();
    if (!valid) {
      nanRows++;
      confusion[label][classes]++;
      return;
    }
    int predicted = 0;
    int rank = 0;
    for (int c = 0; c < classes; c++) {
      predicted = row[c] > row[predicted] ? c : predicted;
      // Of equal scores the first class is guessed first.
      rank += row[c] > row[label] || (row[c] == row[label] && c < label) ? 1 : 0;
    }
    confusion[label][predicted]++;
    topKHits += rank < settings.topK ? 1 : 0;
    logLoss += lossOf(label);
    calibration.add(probabilities[predicted], predicted == label);
    if (classes == 2) {
      // The difference of logits doesn't saturate, as probabilities do.
      row[0] = settings.scores == Scores.LOGITS ? row[1] - row[0] : probabilities[1];
      log.add(row, label);
    } else {
      log.add(probabilities, label);
    }
  }

  /** Reads one score a class. False if one is NaN. */
  private boolean loadRow(FloatBuffer scores, int base) {
    if (settings.columns == 1) {
      double score = scores.get(base);
      row[classes - 1] = score;
      if (classes == 2) {
        // softmax(0, z) = (1 − sigmoid(z), sigmoid(z))
        row[0] = settings.scores == Scores.LOGITS ? 0 : 1 - score;
      }
      return !Double.isNaN(score);
    }
    boolean valid = true;
    for (int c = 0; c < classes; c++) {
      row[c] = scores.get(base + c);
      valid &= !Double.isNaN(row[c]);
    }
    return valid;
  }

  /** False if softmax of the row is NaN. */
  private boolean toProbabilities() {
    if (settings.scores == Scores.PROBABILITIES) {
      for (int c = 0; c < classes; c++) {
        probabilities[c] = Math.min(1, Math.max(0, row[c]));
      }
      return true;
    }
    double max = Double.NEGATIVE_INFINITY;
    for (double z : row) {
      max = Math.max(max, z);
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      probabilities[c] = Math.exp(row[c] - max);
      sum += probabilities[c];
    }
    for (int c = 0; c < classes; c++) {
      probabilities[c] /= sum;
    }
    logNormaliser = max + Math.log(sum);
    // An infinite highest score makes all of it NaN.
    return !Double.isInfinite(max);
  }

  private double lossOf(int label) {
    if (settings.scores == Scores.PROBABILITIES) {
      return -Math.log(Math.max(probabilities[label], SMALLEST_PROBABILITY));
    }
    return logNormaliser - row[label];
  }
}
