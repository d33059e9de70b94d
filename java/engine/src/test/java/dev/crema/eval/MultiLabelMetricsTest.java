package dev.crema.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class MultiLabelMetricsTest {
  private static final Offset<Double> CLOSE = within(1e-6);
  private static final List<String> NAMES = List.of("cat", "dog");

  @Test
  void countsEachLabelByItself() {
    var metrics = new MultiLabelMetrics(NAMES, Scores.PROBABILITIES);
    metrics.add(
        new float[] {.9f, .8f, .6f, .3f, .2f, .7f, .4f, .1f}, new float[] {1, 1, 0, 0, 1, 1, 0, 1});
    var report = metrics.report();
    assertThat(report.rows()).isEqualTo(4);
    // cat: tp 1, fp 1, fn 1; dog: tp 2, fp 0, fn 1
    assertThat(report.labels().get(0).precision()).isEqualTo(0.5);
    assertThat(report.labels().get(0).recall()).isEqualTo(0.5);
    assertThat(report.labels().get(1).f1()).isCloseTo(0.8, CLOSE);
    assertThat(report.micro().precision()).isEqualTo(0.75);
    assertThat(report.micro().recall()).isCloseTo(0.6, CLOSE);
    assertThat(report.macro().f1()).isCloseTo(0.65, CLOSE);
    assertThat(report.weighted().f1()).isCloseTo((2 * 0.5 + 3 * 0.8) / 5, CLOSE);
    assertThat(report.labelAccuracy()).isEqualTo(5 / 8.0);
    assertThat(report.exactMatch()).isEqualTo(0.25);
    assertThat(report.labels().get(0).rocAuc()).isEqualTo(0.5);
    assertThat(report.labels().get(1).rocAuc()).isCloseTo(2 / 3.0, CLOSE);
    double loss =
        -(Math.log(.9)
            + Math.log(.8)
            + Math.log(.4)
            + Math.log(.7)
            + Math.log(.2)
            + Math.log(.7)
            + Math.log(.6)
            + Math.log(.1));
    assertThat(report.logLoss()).isCloseTo(loss / 8, CLOSE);
    assertThat(report.toString()).contains("cat", "dog", "micro average", "exact match");
    assertThat(report.toJson().get("labels").get(1).get("support").asLong()).isEqualTo(3);
  }

  @Test
  void logitsDoNotOverflow() {
    var metrics = new MultiLabelMetrics(List.of("a"), Scores.LOGITS);
    metrics.add(new float[] {1000, -1000, 1000, 0}, new float[] {1, 0, 0, 1});
    var report = metrics.report();
    assertThat(report.logLoss()).isCloseTo((1000 + Math.log(2)) / 4, CLOSE);
    assertThat(report.labelAccuracy()).isEqualTo(0.5);
  }

  @Test
  void predictionsThatAreNaNAreWrongAndReported() {
    var metrics = new MultiLabelMetrics(NAMES, Scores.LOGITS);
    metrics.add(new float[] {Float.NaN, 2, 2, Float.NaN}, new float[] {0, 1, 1, 1});
    var report = metrics.report();
    assertThat(report.nanScores()).isEqualTo(2);
    assertThat(report.labelAccuracy()).isEqualTo(0.5);
    assertThat(report.exactMatch()).isZero();
    assertThat(report.labels().get(1).recall()).isEqualTo(0.5);
    assertThat(report.warnings()).singleElement().asString().contains("2 of 4");
  }

  @Test
  void withoutRowsEveryMeanIsNaN() {
    var report = new MultiLabelMetrics(NAMES, Scores.LOGITS).report();
    assertThat(report.exactMatch()).isNaN();
    assertThat(report.labelAccuracy()).isNaN();
    assertThat(report.logLoss()).isNaN();
    assertThat(report.rocAuc()).isNaN();
    assertThat(report.micro().f1()).isNaN();
    assertThat(report.macro().f1()).isNaN();
  }

  @Test
  void badInputIsNamed() {
    var metrics = new MultiLabelMetrics(NAMES, Scores.PROBABILITIES);
    assertThatThrownBy(() -> metrics.add(new float[2], new float[] {0, 2}))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("got 2.0 in row 0, column 1");
    assertThatThrownBy(() -> metrics.add(new float[] {0, 9}, new float[2]))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("expected probabilities, got 9.0");
    assertThatThrownBy(() -> metrics.add(new float[3], new float[2]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> metrics.add(new float[2], new float[4]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> metrics.merge(new MultiLabelMetrics(List.of("x"), Scores.PROBABILITIES)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[cat, dog]");
    assertThat(metrics.report().rows()).isZero();
  }

  @Property(tries = 100)
  void mergedPartsAreTheWhole(
      @ForAll long seed,
      @ForAll @IntRange(max = 20) int first,
      @ForAll @IntRange(min = 1, max = 20) int second) {
    var random = new Random(seed);
    int n = 2 * (first + second);
    float[] scores = new float[n];
    float[] targets = new float[n];
    for (int i = 0; i < n; i++) {
      scores[i] = random.nextInt(9) / 8f;
      targets[i] = random.nextInt(2);
    }
    var whole = new MultiLabelMetrics(NAMES, Scores.PROBABILITIES);
    whole.add(scores, targets);
    var parts = whole.fresh();
    parts.add(Arrays.copyOf(scores, 2 * first), Arrays.copyOf(targets, 2 * first));
    var rest = whole.fresh();
    rest.add(Arrays.copyOfRange(scores, 2 * first, n), Arrays.copyOfRange(targets, 2 * first, n));
    parts.merge(rest);
    assertThat(parts.report().labels()).isEqualTo(whole.report().labels());
    assertThat(parts.report().exactMatch()).isEqualTo(whole.report().exactMatch());
    assertThat(parts.report().logLoss()).isCloseTo(whole.report().logLoss(), CLOSE);
  }
}
