package dev.crema.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;

class ClassificationPropertyTest {
  private static final Offset<Double> CLOSE = within(1e-9);

  /** Random scores in steps of 1/8, so that many tie, and labels. */
  private record Sample(int classes, float[] scores, int[] labels) {
    static Sample of(long seed, int classes, int rows) {
      var random = new Random(seed);
      float[] scores = new float[rows * classes];
      for (int i = 0; i < scores.length; i++) {
        scores[i] = random.nextInt(9) / 8f;
      }
      int[] labels = random.ints(rows, 0, classes).toArray();
      return new Sample(classes, scores, labels);
    }

    float score(int row, int c) {
      return scores[row * classes + c];
    }

    int predicted(int row) {
      int best = 0;
      for (int c = 1; c < classes; c++) {
        best = score(row, c) > score(row, best) ? c : best;
      }
      return best;
    }

    ClassificationReport report(int from, int to) {
      return metrics(from, to).report();
    }

    ClassificationMetrics metrics(int from, int to) {
      var metrics = ClassificationMetrics.builder(classes).topK(2).build();
      metrics.add(
          Arrays.copyOfRange(scores, from * classes, to * classes),
          Arrays.copyOfRange(labels, from, to));
      return metrics;
    }
  }

  @Property(tries = 200)
  void microF1IsTheAccuracy(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 6) int classes,
      @ForAll @IntRange(min = 1, max = 60) int rows) {
    var report = Sample.of(seed, classes, rows).report(0, rows);
    assertThat(report.micro().f1()).isEqualTo(report.accuracy());
    assertThat(report.weighted().recall()).isCloseTo(report.accuracy(), CLOSE);
  }

  @Property(tries = 200)
  void everyFigureIsItsDefinition(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 6) int classes,
      @ForAll @IntRange(min = 1, max = 60) int rows) {
    Sample sample = Sample.of(seed, classes, rows);
    var report = sample.report(0, rows);
    int right = 0;
    int inTopTwo = 0;
    double loss = 0;
    for (int r = 0; r < rows; r++) {
      int label = sample.labels[r];
      right += sample.predicted(r) == label ? 1 : 0;
      int row = r;
      Integer[] order = new Integer[classes];
      Arrays.setAll(order, c -> c);
      Arrays.sort(order, (a, b) -> Float.compare(sample.score(row, b), sample.score(row, a)));
      inTopTwo += Arrays.asList(order).subList(0, 2).contains(label) ? 1 : 0;
      loss -= Math.log(Math.max(sample.score(r, label), 0x1p-23));
    }
    assertThat(report.accuracy()).isCloseTo((double) right / rows, CLOSE);
    assertThat(report.topKAccuracy()).isCloseTo((double) inTopTwo / rows, CLOSE);
    assertThat(report.logLoss()).isCloseTo(loss / rows, CLOSE);
    for (int c = 0; c < classes; c++) {
      int truePositives = 0;
      int falsePositives = 0;
      int falseNegatives = 0;
      for (int r = 0; r < rows; r++) {
        boolean yes = sample.predicted(r) == c;
        boolean there = sample.labels[r] == c;
        truePositives += yes && there ? 1 : 0;
        falsePositives += yes && !there ? 1 : 0;
        falseNegatives += !yes && there ? 1 : 0;
      }
      double f1 = 2.0 * truePositives / (2 * truePositives + falsePositives + falseNegatives);
      assertThat(report.classes().get(c).f1()).isCloseTo(Double.isNaN(f1) ? 0 : f1, CLOSE);
      if (classes > 2) {
        assertThat(report.classes().get(c).rocAuc()).isCloseTo(auc(sample, c), CLOSE);
      }
    }
  }

  /** By counting pairs. */
  private static double auc(Sample sample, int positive) {
    double won = 0;
    long pairs = 0;
    for (int p = 0; p < sample.labels.length; p++) {
      for (int n = 0; n < sample.labels.length; n++) {
        if (sample.labels[p] == positive && sample.labels[n] != positive) {
          pairs++;
          won += (1 + Math.signum(sample.score(p, positive) - sample.score(n, positive))) / 2;
        }
      }
    }
    return won / pairs;
  }

  @Property(tries = 200)
  void mergedPartsAreTheWhole(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 4) int classes,
      @ForAll @IntRange(max = 30) int first,
      @ForAll @IntRange(max = 30) int second) {
    int rows = first + second;
    Sample sample = Sample.of(seed, classes, rows);
    ClassificationMetrics merged = sample.metrics(0, first);
    merged.merge(sample.metrics(first, rows));
    // Adding after a merge must not disturb what was merged.
    merged.merge(merged.fresh());
    var parts = merged.report();
    var whole = sample.report(0, rows);
    assertThat(parts.confusion()).isEqualTo(whole.confusion());
    assertThat(parts.classes()).isEqualTo(whole.classes());
    assertThat(parts.topKAccuracy()).isEqualTo(Double.valueOf(whole.topKAccuracy()));
    assertThat(parts.rocAuc()).isEqualTo(Double.valueOf(whole.rocAuc()));
    if (rows > 0) {
      assertThat(parts.logLoss()).isCloseTo(whole.logLoss(), CLOSE);
      assertThat(parts.calibration().expectedError())
          .isCloseTo(whole.calibration().expectedError(), CLOSE);
    }
  }

  @Property(tries = 200)
  void aucDependsOnlyOnTheOrderOfScores(
      @ForAll long seed, @ForAll @IntRange(min = 2, max = 60) int rows) {
    var random = new Random(seed);
    float[] scores = new float[rows];
    float[] transformed = new float[rows];
    float[] negated = new float[rows];
    boolean[] positive = new boolean[rows];
    for (int i = 0; i < rows; i++) {
      scores[i] = random.nextInt(21) - 10;
      transformed[i] = (float) Math.exp(0.5 * scores[i]) - 3;
      negated[i] = -scores[i];
      positive[i] = random.nextBoolean();
    }
    double auc = RocAuc.of(scores, positive);
    assertThat(RocAuc.of(transformed, positive)).isEqualTo(Double.valueOf(auc));
    if (!Double.isNaN(auc)) {
      assertThat(RocAuc.of(negated, positive)).isCloseTo(1 - auc, CLOSE);
    }
  }
}
