package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Example;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import dev.crema.train.Losses;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What candidates are judged by: classes, labels or numbers, of enough examples. */
class CompressionDataTest extends MadeUpSearch {
  @Test
  void regressionsAreJudgedByTheShareOfVarianceThatTheyExplain() {
    Random random = new Random(3);
    float[][] x = new float[600][2];
    float[][] y = new float[600][1];
    for (int i = 0; i < x.length; i++) {
      x[i][0] = (float) random.nextGaussian();
      x[i][1] = (float) random.nextGaussian();
      y[i][0] = x[i][0] + 0.5f * x[i][1];
    }
    Dataset data = Datasets.regression(x, y);
    try (Model line = Model.sequential(2).dense(1).build(1)) {
      line.set("dense_1/kernel", new float[] {1, 0.5f});
      clock.with("near", 400, 4000).with("far", 100, 1000);
      Compression compression = Compression.optimize(line, data).threads(1);
      compression.stopwatch = clock;
      compression.strategy =
          s -> {
            for (float weight : new float[] {0.48f, 0.3f}) {
              attempt(
                  s,
                  weight > 0.4 ? "near" : "far",
                  () -> {
                    Model copy = line.copy();
                    copy.set("dense_1/kernel", new float[] {1, weight});
                    return copy;
                  });
            }
          };
      try (CompressionResult r = compression.run()) {
        assertThat(r.kept().name()).isEqualTo("near");
        assertThat(trial(r, "far").reason()).startsWith("R² falls by 0.03").contains("are 0.0050");
        assertThat(r.toJson().get("metric").asText()).isEqualTo("r2");
        assertThat(r.plot().toSvg()).contains("R²", "least R² allowed");
      }
    }
    Dataset constant = Datasets.regression(x, new float[600][1]);
    try (Model line = Model.sequential(2).dense(1).build(1)) {
      assertThatThrownBy(() -> Compression.optimize(line, constant).run())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("all targets of an output are the same")
          .hasMessageContaining("120 examples");
    }
  }

  @Test
  void yesOrNoLabelsAreJudgedByTheShareThatIsRight() {
    Random random = new Random(6);
    float[][] x = new float[500][2];
    float[][] y = new float[500][2];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < 2; j++) {
        x[i][j] = (float) random.nextGaussian();
        y[i][j] = x[i][j] > 0 ? 1 : 0;
      }
    }
    Dataset data = Datasets.regression(x, y);
    try (Model labels = Model.sequential(2).dense(2, Activation.SIGMOID).build(1)) {
      labels.metadata().put("loss", Losses.binaryCrossentropy().name());
      labels.set("dense_1/kernel", new float[] {9, 0, 0, 9});
      clock.with("half", 100, 1000).with("all", 500, 5000);
      Compression compression = Compression.optimize(labels, data).threads(1);
      compression.stopwatch = clock;
      compression.strategy =
          s -> {
            for (float weight : new float[] {-9, 5}) {
              attempt(
                  s,
                  weight < 0 ? "half" : "all",
                  () -> {
                    Model copy = labels.copy();
                    copy.set("dense_1/kernel", new float[] {9, 0, 0, weight});
                    return copy;
                  });
            }
          };
      try (CompressionResult r = compression.run()) {
        assertThat(r.kept().name()).isEqualTo("all");
        assertThat(trial(r, "half").reason()).startsWith("accuracy falls by 50.00 points");
      }
    }
  }

  @Test
  void tooFewExamplesForTwoHalvesAreUsedForBothAndTheResultSaysSo() {
    clock.with("fast", 500, 5000);
    Compression compression =
        search(s -> attempt(s, "fast", weighing(0, 2))).validation(data(60, 0, 9));
    try (CompressionResult r = compression.run()) {
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(r.notes().get(0)).startsWith("Only 60 examples").contains("flatters");
      assertThat(r.notes().get(1))
          .isEqualTo("One example of 60 is more than the drop that is allowed: use more of them.");
      assertThat(r.comparison().models().get(1).evaluation().examples()).isEqualTo(60);
    }
  }

  @Test
  void streamsOfUnknownLengthAreParted() {
    List<Example> examples = new ArrayList<>();
    Random random = new Random(8);
    for (int i = 0; i < 400; i++) {
      float[] row = {(float) random.nextGaussian(), 0, (float) random.nextGaussian(), 0};
      examples.add(Example.classified(row, row[0] > 0 ? 1 : 0));
    }
    Dataset like = data(1, 0, 1);
    Dataset stream = Datasets.stream(like.inputs(), like.target(), List.of("0", "1"), examples);
    clock.with("fast", 500, 5000);
    Compression compression = Compression.optimize(model, stream).threads(1);
    compression.stopwatch = clock;
    compression.strategy =
        s -> {
          attempt(s, "fast", weighing(0, 2));
          attempt(s, "int8", () -> Quantizer.standard().quantize(model, s.calibration()));
        };
    try (CompressionResult r = compression.run()) {
      assertThat(r.kept().name()).isEqualTo("fast");
      assertThat(trial(r, "int8").figures()).isNotNull();
      assertThat(r.comparison().models().get(0).evaluation().examples()).isBetween(20L, 70L);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.001, Double.NaN, 1.5, Double.POSITIVE_INFINITY})
  void aDropIsAShare(double drop) {
    assertThatThrownBy(() -> search(s -> {}).maxAccuracyDrop(drop))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("from 0 to 1, such as 0.005")
        .hasMessageContaining("" + drop);
  }

  @Test
  void badUseIsExplained() {
    Dataset data = data(200, 0, 1);
    Compression any = Compression.optimize(model, data);
    assertThatThrownBy(() -> any.epochs(-1)).hasMessage("epochs must be at least 0, got -1");
    assertThatThrownBy(() -> any.batchSize(0)).hasMessageContaining("at least 1, got 0");
    assertThatThrownBy(() -> any.threads(-1)).hasMessageContaining("at least 0, got -1");
    assertThatThrownBy(() -> any.budget(Duration.ZERO)).hasMessageContaining("more than no time");
    assertThatThrownBy(() -> any.target(null)).hasMessage("target");
    assertThatThrownBy(() -> Compression.optimize(null, data)).hasMessage("model");
    assertThatThrownBy(() -> Compression.optimize(model, data).validation(data).run())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("are the same as other data");
    Dataset held = data(100, 0, 2);
    assertThatThrownBy(() -> Compression.optimize(model, data).validation(held).test(held).run())
        .hasMessageContaining("The test data are the same");
    for (Dataset few : new Dataset[] {data.take(0), data.take(19)}) {
      assertThatThrownBy(() -> Compression.optimize(model, data).validation(few).run())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("cannot be told on " + few.size() + " examples");
      assertThatThrownBy(() -> Compression.optimize(model, few).run())
          .hasMessageContaining("cannot be told on " + few.size() + " examples");
    }
    Dataset other = Datasets.of(new float[60][7], new int[60]);
    assertThatThrownBy(() -> Compression.optimize(model, other).validation(other.take(50)).run())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("[n, 4]");
    try (Model int8 = Quantizer.standard().quantize(model, data)) {
      assertThatThrownBy(() -> Compression.optimize(int8, data))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("quantized already")
          .hasMessageContaining("it was made of");
    }
    Symbol x = Symbol.input("x", 4);
    try (Model two =
        Model.of(List.of(x), List.of(Dense.of(1).named("a", x), Dense.of(1).named("b", x)), 1)) {
      assertThatThrownBy(() -> Compression.optimize(two, data))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("the outputs [a, b]");
    }
  }

  /** What never finds a class of 2 % loses two points of accuracy, and half of the balanced one. */
  @Test
  void withRareClassesABalancedMeasureRefusesWhatNoLongerFindsThem() {
    model.set("dense_1/bias", new float[] {4.1f, 0});
    clock.with("blind", 500, 5000);
    for (Quality quality : new Quality[] {null, Quality.BALANCED_ACCURACY, Quality.MACRO_F1}) {
      Compression compression =
          search(s -> attempt(s, "blind", weighing(0, 0)))
              .validation(rare(2000))
              .maxAccuracyDrop(0.05);
      if (quality != null) {
        compression.quality(quality);
      }
      try (CompressionResult r = compression.run()) {
        assertThat(r.paid()).as("by %s", quality).isEqualTo(quality == null);
        assertThat(r.toJson().get("metric").asText())
            .isEqualTo(quality == null ? "accuracy" : quality.name().toLowerCase(Locale.ROOT));
        if (quality == Quality.BALANCED_ACCURACY) {
          assertThat(trial(r, "blind").reason())
              .startsWith("balanced accuracy falls by 50.00 points");
          assertThat(r.plot().toSvg()).contains("balanced accuracy (%)");
        }
      }
    }
    assertThatThrownBy(() -> search(s -> {}).quality(Quality.R2).run())
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("cannot be judged by R²", "for regressions", "accuracy");
  }

  private static Dataset rare(int rows) {
    Random random = new Random(3);
    float[][] x = new float[rows][4];
    int[] y = new int[rows];
    for (int i = 0; i < rows; i++) {
      x[i][0] = (float) random.nextGaussian();
      y[i] = x[i][0] > 2.05 ? 1 : 0;
    }
    return Datasets.of(x, y);
  }
}
