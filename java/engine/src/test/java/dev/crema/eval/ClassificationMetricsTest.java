package dev.crema.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class ClassificationMetricsTest {
  private static final Offset<Double> EXACT = within(1e-9);
  private static final Offset<Double> FLOAT = within(1e-6);

  /** Scores that predict the given classes without doubt. */
  private static float[] certain(int classes, int... predicted) {
    float[] scores = new float[classes * predicted.length];
    for (int r = 0; r < predicted.length; r++) {
      scores[r * classes + predicted[r]] = 1;
    }
    return scores;
  }

  private static ClassificationReport report(int classes, float[] scores, int... labels) {
    var metrics = ClassificationMetrics.builder(classes).build();
    metrics.add(scores, labels);
    return metrics.report();
  }

  @Test
  void matchesTheExampleOfScikitLearnsClassificationReport() {
    var report = report(3, certain(3, 0, 0, 2, 2, 1), 0, 1, 2, 2, 2);
    assertThat(report.accuracy()).isCloseTo(0.6, EXACT);
    assertScores(report.classes().get(0), 0.5, 1, 2 / 3.0, 1);
    assertScores(report.classes().get(1), 0, 0, 0, 1);
    assertScores(report.classes().get(2), 1, 2 / 3.0, 0.8, 3);
    assertAverage(report.macro(), 0.5, 5 / 9.0, 22 / 45.0);
    assertAverage(report.weighted(), 0.7, 0.6, (2 / 3.0 + 2.4) / 5);
    assertAverage(report.micro(), 0.6, 0.6, 0.6);
  }

  @Test
  void matchesTheExampleOfScikitLearnsConfusionMatrix() {
    ConfusionMatrix matrix = report(3, certain(3, 0, 0, 2, 2, 0, 2), 2, 0, 2, 2, 0, 1).confusion();
    long[][] expected = {{2, 0, 0}, {0, 0, 1}, {1, 0, 2}};
    for (int a = 0; a < 3; a++) {
      for (int p = 0; p < 3; p++) {
        assertThat(matrix.count(a, p)).isEqualTo(expected[a][p]);
      }
    }
    assertThat(matrix.total()).isEqualTo(6);
    assertThat(matrix.correct()).isEqualTo(4);
  }

  @Test
  void matchesTheExampleOfScikitLearnsTopKAccuracy() {
    float[] scores = {.5f, .2f, .2f, .3f, .4f, .2f, .2f, .4f, .3f, .7f, .2f, .1f};
    var metrics = ClassificationMetrics.builder(3).topK(2).build();
    metrics.add(scores, new int[] {0, 1, 2, 2});
    assertThat(metrics.report().topKAccuracy()).isCloseTo(0.75, EXACT);
    assertThat(metrics.report().accuracy()).isCloseTo(0.5, EXACT);
  }

  @Test
  void matchesTheExampleOfScikitLearnsLogLoss() {
    float[] scores = {.1f, .9f, .9f, .1f, .8f, .2f, .35f, .65f};
    assertThat(report(2, scores, 1, 0, 0, 1).logLoss()).isCloseTo(0.21616, within(1e-5));
  }

  @Test
  void matchesTheExampleOfScikitLearnsRocAuc() {
    var metrics = ClassificationMetrics.binary().build();
    metrics.add(new float[] {.1f, .4f, .35f, .8f}, new int[] {0, 0, 1, 1});
    assertThat(metrics.report().rocAuc()).isCloseTo(0.75, EXACT);
  }

  @Test
  void logitsGiveWhatTheirSoftmaxGives() {
    float[] logits = {1, 2, 3, -1, 0, 2, 5, 5, 1, 0, -3, -2, 0, 0, 0};
    int[] labels = {2, 0, 1, 0, 2};
    float[] probabilities = new float[logits.length];
    for (int r = 0; r < labels.length; r++) {
      double sum = 0;
      for (int c = 0; c < 3; c++) {
        sum += Math.exp(logits[r * 3 + c]);
      }
      for (int c = 0; c < 3; c++) {
        probabilities[r * 3 + c] = (float) (Math.exp(logits[r * 3 + c]) / sum);
      }
    }
    var fromLogits = ClassificationMetrics.builder(3).scores(Scores.LOGITS).build();
    fromLogits.add(logits, labels);
    var a = fromLogits.report();
    var b = report(3, probabilities, labels);
    assertThat(a.logLoss()).isCloseTo(b.logLoss(), FLOAT);
    assertThat(a.rocAuc()).isCloseTo(b.rocAuc(), FLOAT);
    assertThat(a.calibration().expectedError()).isCloseTo(b.calibration().expectedError(), FLOAT);
    assertThat(a.confusion()).isEqualTo(b.confusion());
  }

  @Test
  void oneLogitIsTheSigmoidOfClassOne() {
    var metrics = ClassificationMetrics.binary().scores(Scores.LOGITS).build();
    metrics.add(new float[] {2, -1, 0, 200}, new int[] {1, 1, 0, 0});
    var report = metrics.report();
    // A logit of 0 ties, and the first class wins.
    assertThat(report.confusion().count(0, 0)).isEqualTo(1);
    assertThat(report.confusion().count(1, 1)).isEqualTo(1);
    double expected = (Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(1)) + Math.log(2) + 200) / 4;
    assertThat(report.logLoss()).isCloseTo(expected, EXACT);
    assertThat(report.rocAuc()).isCloseTo(1 / 4.0, EXACT);
  }

  @Test
  void buffersAreReadFromTheirPositionAndMayBeLargerThanTheBatch() {
    FloatBuffer scores =
        ByteBuffer.allocateDirect(40).order(ByteOrder.nativeOrder()).asFloatBuffer();
    scores.put(new float[] {9, 9, 1, 0, 0, 1, 7, 7, 7, 7}).position(2);
    IntBuffer labels = IntBuffer.wrap(new int[] {-1, 0, 0, 99, 99}).position(1);
    var metrics = ClassificationMetrics.builder(2).build();
    metrics.add(scores, labels, 2);
    assertThat(metrics.report().accuracy()).isEqualTo(0.5);
    assertThat(scores.position()).isEqualTo(2);
    assertThat(labels.position()).isEqualTo(1);
  }

  @Test
  void targetsMayBeOneHotOrZeroAndOne() {
    var metrics = ClassificationMetrics.builder(3).build();
    FloatBuffer oneHot = FloatBuffer.wrap(new float[] {0, 0, 1, 1, 0, 0});
    metrics.add(FloatBuffer.wrap(certain(3, 2, 1)), oneHot, 2);
    assertThat(metrics.report().accuracy()).isEqualTo(0.5);

    var binary = ClassificationMetrics.binary().build();
    binary.add(FloatBuffer.wrap(new float[] {.9f, .2f}), FloatBuffer.wrap(new float[] {1, 1}), 2);
    assertThat(binary.report().confusion().count(1, 0)).isEqualTo(1);
    assertThatThrownBy(
            () ->
                binary.add(FloatBuffer.wrap(new float[1]), FloatBuffer.wrap(new float[] {.5f}), 1))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("targets of 0 or 1, got 0.5 in row 0");
  }

  @Test
  void withoutRowsEveryMeanIsNaN() {
    var report = ClassificationMetrics.builder(3).build().report();
    assertThat(report.rows()).isZero();
    for (double value :
        new double[] {
          report.accuracy(),
          report.topKAccuracy(),
          report.rocAuc(),
          report.logLoss(),
          report.macro().f1(),
          report.micro().f1(),
          report.weighted().f1(),
          report.calibration().expectedError(),
          report.calibration().maximumError()
        }) {
      assertThat(value).isNaN();
    }
    assertThat(report.toString()).contains("accuracy");
    assertThat(report.toJson().get("accuracy").isNull()).isTrue();
  }

  @Test
  void withOneClassOnlyTheAucIsNotDefined() {
    var report = report(1, new float[] {1, 1}, 0, 0);
    assertThat(report.accuracy()).isEqualTo(1);
    assertThat(report.rocAuc()).isNaN();
    assertThat(report.logLoss()).isZero();
    var alike = report(2, certain(2, 0, 1, 1), 1, 1, 1);
    assertThat(alike.rocAuc()).isNaN();
    assertThat(alike.classes().get(0).recall()).isZero();
    assertThat(alike.macro().recall()).isCloseTo(1 / 3.0, EXACT);
  }

  @Test
  void aClassThatNeverOccursIsNoPartOfTheMacroAverage() {
    var report = report(4, certain(4, 0, 1, 1), 0, 1, 0);
    assertThat(report.classes().get(3)).isEqualTo(new ClassScores("3", 0, 0, 0, 0, 0, Double.NaN));
    assertAverage(report.macro(), 0.75, 0.75, 2 / 3.0);
    assertThat(report.rocAuc()).isCloseTo(0.75, EXACT);
  }

  @Test
  void moreGuessesThanClassesAlwaysHit() {
    var metrics = ClassificationMetrics.builder(3).topK(5).build();
    metrics.add(certain(3, 0, 0), new int[] {1, 2});
    assertThat(metrics.report().topK()).isEqualTo(3);
    assertThat(metrics.report().topKAccuracy()).isEqualTo(1);
  }

  @Test
  void predictionsThatAreNaNAreWrongAndReported() {
    float nan = Float.NaN;
    var report = report(2, new float[] {.9f, .1f, nan, .5f, .2f, .8f, nan, nan}, 0, 0, 1, 1);
    assertThat(report.rows()).isEqualTo(4);
    assertThat(report.nanRows()).isEqualTo(2);
    assertThat(report.accuracy()).isEqualTo(0.5);
    assertThat(report.topKAccuracy()).isEqualTo(0.5);
    assertThat(report.classes().get(0).recall()).isEqualTo(0.5);
    assertThat(report.classes().get(0).precision()).isEqualTo(1);
    assertThat(report.confusion().undecided(0)).isEqualTo(1);
    assertThat(report.logLoss()).isCloseTo(-(Math.log(.9) + Math.log(.8)) / 2, FLOAT);
    assertThat(report.warnings()).singleElement().asString().contains("2 of 4 predictions are NaN");
    assertThat(report.toString()).contains("(NaN)", "Warning: 2 of 4");
  }

  @Test
  void allNaNGivesAccuracyZeroAndNoLoss() {
    var report = report(2, new float[] {Float.NaN, 0, 1, Float.NaN}, 0, 1);
    assertThat(report.accuracy()).isZero();
    assertThat(report.logLoss()).isNaN();
    assertThat(report.rocAuc()).isNaN();
    assertThat(report.micro().f1()).isZero();
    assertThat(report.calibration().count()).isZero();
  }

  @Test
  void logitsWhoseSoftmaxIsNaNCountAsNaN() {
    float infinity = Float.POSITIVE_INFINITY;
    var metrics = ClassificationMetrics.builder(2).scores(Scores.LOGITS).build();
    metrics.add(new float[] {infinity, 0, -infinity, -infinity, -infinity, 3}, new int[] {0, 0, 1});
    assertThat(metrics.report().nanRows()).isEqualTo(2);
    assertThat(metrics.report().logLoss()).isZero();
  }

  @Test
  void aBadLabelNamesItsRowAndNothingOfTheBatchCounts() {
    var metrics = ClassificationMetrics.builder(2).build();
    assertThatThrownBy(() -> metrics.add(certain(2, 0, 1), new int[] {0, 2}))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("label 2 in row 1")
        .hasMessageContaining("0 to 1");
    assertThat(metrics.report().rows()).isZero();
  }

  @Test
  void logitsGivenAsProbabilitiesAreRefused() {
    var metrics = ClassificationMetrics.builder(2).build();
    assertThatThrownBy(() -> metrics.add(new float[] {0, 1, -3, 7}, new int[] {0, 1}))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("-3.0 in row 1, column 0")
        .hasMessageContaining("Scores.LOGITS");
    assertThat(metrics.report().rows()).isZero();
  }

  @Test
  void wrongSizesAreRefused() {
    var metrics = ClassificationMetrics.builder(2).build();
    assertThatThrownBy(() -> metrics.add(new float[5], new int[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("shape [2, 2]");
    assertThatThrownBy(() -> metrics.add(FloatBuffer.allocate(3), IntBuffer.allocate(2), 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 numbers, got 3");
    assertThatThrownBy(() -> metrics.merge(ClassificationMetrics.builder(3).build()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("same settings");
    assertThatThrownBy(() -> ClassificationMetrics.builder(2).classNames(List.of("one")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 2 class names, got 1");
  }

  @Test
  void theAucIsLeftOutRatherThanTakeMoreMemoryThanAllowed() {
    var metrics = ClassificationMetrics.builder(2).rocAucMemory(80).build();
    metrics.add(certain(2, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0), new int[] {0, 1, 0, 1, 0, 1, 0, 1, 0, 1});
    assertThat(metrics.report().rocAuc()).isCloseTo(0.6, EXACT);
    metrics.add(certain(2, 0), new int[] {0});
    assertThat(metrics.report().rocAuc()).isNaN();
    assertThat(metrics.report().accuracy()).isPositive();
    assertThat(metrics.report().warnings()).singleElement().asString().contains("80 bytes");
  }

  private static void assertScores(ClassScores scores, double p, double r, double f, long n) {
    assertThat(scores.precision()).isCloseTo(p, EXACT);
    assertThat(scores.recall()).isCloseTo(r, EXACT);
    assertThat(scores.f1()).isCloseTo(f, EXACT);
    assertThat(scores.support()).isEqualTo(n);
  }

  private static void assertAverage(AverageScores scores, double p, double r, double f) {
    assertThat(scores.precision()).isCloseTo(p, EXACT);
    assertThat(scores.recall()).isCloseTo(r, EXACT);
    assertThat(scores.f1()).isCloseTo(f, EXACT);
  }
}
