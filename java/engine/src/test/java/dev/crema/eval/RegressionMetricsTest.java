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
import org.junit.jupiter.api.Test;

class RegressionMetricsTest {
  private static RegressionReport report(float[] predictions, float[] targets) {
    var metrics = new RegressionMetrics();
    metrics.add(predictions, targets);
    return metrics.report();
  }

  @Test
  void matchesTheExamplesOfScikitLearn() {
    var report = report(new float[] {2.5f, 0, 2, 8}, new float[] {3, -.5f, 2, 7});
    assertThat(report.mse()).isCloseTo(0.375, within(1e-12));
    assertThat(report.rmse()).isCloseTo(Math.sqrt(0.375), within(1e-12));
    assertThat(report.mae()).isCloseTo(0.5, within(1e-12));
    assertThat(report.r2()).isCloseTo(1 - 1.5 / 29.1875, within(1e-12));
    assertThat(report.outputs().get(0).maxError()).isEqualTo(1);
    assertThat(report.outputs().get(0).bias()).isCloseTo(0.25, within(1e-12));
  }

  @Test
  void averagesOverOutputs() {
    var metrics = new RegressionMetrics(List.of("width", "height"));
    metrics.add(new float[] {0, 2, -1, 2, 8, -5}, new float[] {.5f, 1, -1, 1, 7, -6});
    var report = metrics.report();
    assertThat(report.mse()).isCloseTo(0.708333, within(1e-6));
    assertThat(report.mae()).isCloseTo(0.75, within(1e-12));
    assertThat(report.outputs().get(0).mse()).isCloseTo(1.25 / 3, within(1e-12));
    assertThat(report.outputs().get(1).mse()).isCloseTo(1, within(1e-12));
    assertThat(report.r2()).isCloseTo(0.93680052, within(1e-8));
    assertThat(report.toString()).contains("width", "height", "mean", "R²");
    assertThat(report.toJson().get("outputs").get(1).get("mse").asDouble()).isEqualTo(1);
  }

  @Test
  void equalTargetsHaveR2OfOneIfHitAndElseZero() {
    assertThat(report(new float[] {3, 3}, new float[] {3, 3}).r2()).isEqualTo(1);
    assertThat(report(new float[] {3, 4}, new float[] {3, 3}).r2()).isZero();
  }

  @Test
  void withoutRowsEveryFigureIsNaNAndOneRowHasNoR2() {
    var none = new RegressionMetrics().report();
    assertThat(none.mse()).isNaN();
    assertThat(none.mae()).isNaN();
    assertThat(none.outputs().get(0).maxError()).isNaN();
    assertThat(none.toJson().get("rmse").isNull()).isTrue();
    var one = report(new float[] {1}, new float[] {2});
    assertThat(one.r2()).isNaN();
    assertThat(one.mse()).isEqualTo(1);
  }

  @Test
  void predictionsThatAreNaNAreLeftOutAndReported() {
    var report = report(new float[] {1, Float.NaN, 3}, new float[] {1, 2, 4});
    assertThat(report.rows()).isEqualTo(3);
    assertThat(report.nanPredictions()).isEqualTo(1);
    assertThat(report.mse()).isEqualTo(0.5);
    assertThat(report.toString()).contains("Warning: 1 of 3 predictions are NaN");
    var all = report(new float[] {Float.NaN}, new float[] {1});
    assertThat(all.mse()).isNaN();
    assertThat(all.nanPredictions()).isEqualTo(1);
  }

  @Test
  void r2SurvivesTargetsFarFromZero() {
    float[] targets = {16_000_001, 16_000_002, 16_000_003, 16_000_004};
    float[] predictions = {16_000_002, 16_000_002, 16_000_003, 16_000_004};
    assertThat(report(predictions, targets).r2()).isCloseTo(1 - 1 / 5.0, within(1e-12));
  }

  @Test
  void aTargetThatIsNotFiniteIsRefused() {
    var metrics = new RegressionMetrics(List.of("a", "b"));
    assertThatThrownBy(() -> metrics.add(new float[4], new float[] {0, 0, 0, Float.NaN}))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("NaN in row 1 of the batch for output b");
    assertThat(metrics.report().rows()).isZero();
    assertThatThrownBy(() -> metrics.add(new float[3], new float[3]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Property(tries = 100)
  void mergedPartsAreTheWholeAndTheDefinition(
      @ForAll long seed,
      @ForAll @IntRange(max = 30) int first,
      @ForAll @IntRange(min = 2, max = 30) int second) {
    var random = new Random(seed);
    int n = first + second;
    float[] predictions = new float[n];
    float[] targets = new float[n];
    double mean = 0;
    for (int i = 0; i < n; i++) {
      targets[i] = (float) (1000 + random.nextGaussian());
      predictions[i] = (float) (targets[i] + 0.1 * random.nextGaussian());
      mean += targets[i];
    }
    mean /= n;
    double squared = 0;
    double scatter = 0;
    for (int i = 0; i < n; i++) {
      squared += Math.pow((double) predictions[i] - targets[i], 2);
      scatter += Math.pow(targets[i] - mean, 2);
    }
    var parts = new RegressionMetrics();
    parts.add(Arrays.copyOf(predictions, first), Arrays.copyOf(targets, first));
    var rest = parts.fresh();
    rest.add(Arrays.copyOfRange(predictions, first, n), Arrays.copyOfRange(targets, first, n));
    parts.merge(rest);
    assertThat(parts.report().mse()).isCloseTo(squared / n, within(1e-9));
    assertThat(parts.report().r2()).isCloseTo(1 - squared / scatter, within(1e-7));
    assertThat(parts.report().rows()).isEqualTo(n);
  }
}
