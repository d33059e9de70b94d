package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.data.Datasets;
import dev.crema.data.IndexedDataset;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Loss scaling in float32, where scales that are powers of two change no bit. */
class LossScalingTest {
  private static final int ROWS = 8;
  private static final int FEATURES = 5;
  private static final LossScaling GROWS_SOON = new LossScaling(1024, 2, 0.5, 3);

  private static final Loss LOSS = Losses.sparseCategoricalCrossentropy();

  @TempDir private Path folder;

  private static Model model() {
    return Model.sequential(FEATURES)
        .dense(7, Activation.TANH)
        .dense(2, Activation.SOFTMAX)
        .build(1);
  }

  private static float[] examples(Random random) {
    float[] x = new float[ROWS * FEATURES];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static int[] classes(float[] x) {
    int[] y = new int[ROWS];
    for (int i = 0; i < ROWS; i++) {
      y[i] = x[i * FEATURES] > 0 ? 1 : 0;
    }
    return y;
  }

  /** The parameters after some steps, and the last scale. */
  private record Outcome(float[] parameters, double scale) {}

  /**
   * @param spoilt a step whose batch holds NaN; -1 for none
   */
  private static Outcome train(UnaryOperator<Trainer> settings, int steps, int spoilt) {
    try (Model model = model()) {
      Trainer trainer = settings.apply(Trainer.of(model).loss(LOSS));
      Random random = new Random(3);
      try (BatchTrainer batches = trainer.batches(ROWS)) {
        for (int step = 0; step < steps; step++) {
          float[] x = examples(random);
          batches.step(x, classes(x), ROWS);
          if (step == spoilt) {
            x[3] = Float.NaN;
            batches.step(x, classes(x), ROWS);
          }
        }
        float[] parameters = new float[model.parameters().floats().capacity()];
        model.parameters().floats().get(0, parameters);
        return new Outcome(parameters, batches.lossScale());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "clipNorm", "clipValue"})
  void gradientsAreWhatTheyWouldBeWithoutIt(String setting) {
    UnaryOperator<Trainer> plain =
        t ->
            switch (setting) {
              case "clipNorm" -> t.optimizer(Optimizer.sgd(0.1)).clipNorm(0.01);
              case "clipValue" -> t.optimizer(Optimizer.sgd(0.1)).clipValue(0.005);
              default -> t.optimizer(Optimizer.sgd(0.1));
            };
    Outcome without = train(plain, 10, -1);
    Outcome with = train(t -> plain.apply(t).lossScaling(GROWS_SOON), 10, -1);
    assertThat(with.parameters).isEqualTo(without.parameters);
    assertThat(with.scale).as("doubled after 3, 6 and 9 steps").isEqualTo(8 * 1024);
    assertThat(without.scale).isEqualTo(1);
  }

  @Test
  void biasCorrectionFollowsTheUpdatesThatWereMade() {
    UnaryOperator<Trainer> adam = t -> t.optimizer(Optimizer.adam(0.01)).lossScaling(GROWS_SOON);
    Outcome clean = train(adam, 20, -1);
    Outcome without = train(t -> t.optimizer(Optimizer.adam(0.01)), 20, -1);
    for (int i = 0; i < clean.parameters.length; i++) {
      // 1 - b^t by a recurrence: off by some units of float32's 6e-8, in steps of 0.01.
      assertThat(clean.parameters[i]).isCloseTo(without.parameters[i], within(2e-6f));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void aBatchWithoutFiniteGradientsLeavesNoTraceButASmallerScale(int spoilt) {
    for (String optimizer : new String[] {"adam", "momentum", "lamb"}) {
      UnaryOperator<Trainer> settings =
          t -> t.optimizer(optimizer(optimizer)).lossScaling(new LossScaling(1024, 2, 0.5, 100));
      Outcome clean = train(settings, 10, -1);
      Outcome skipped = train(settings, 10, spoilt);
      assertThat(skipped.parameters).as(optimizer).isEqualTo(clean.parameters);
      assertThat(skipped.scale).isEqualTo(clean.scale / 2);
    }
  }

  private static Optimizer optimizer(String name) {
    return switch (name) {
      case "adam" -> Optimizer.adam(0.01);
      case "momentum" -> Optimizer.sgd(0.1, 0.9, false);
      default -> Optimizer.lamb(0.01, 0);
    };
  }

  @Test
  void aSkippedStepStartsTheCountAgainAndClippingByValueSkipsToo() {
    UnaryOperator<Trainer> settings = t -> t.lossScaling(GROWS_SOON).clipValue(0.01);
    Outcome clean = train(settings, 4, -1);
    assertThat(clean.scale).isEqualTo(2048);
    // Two good steps, a bad one, two good ones.
    Outcome skipped = train(settings, 4, 1);
    assertThat(skipped.scale).isEqualTo(512);
    assertThat(skipped.parameters).isEqualTo(clean.parameters);
  }

  @Test
  void aScaleThatOverflowsFallsUntilTrainingBegins() {
    LossScaling large = new LossScaling(0x1p127, 2, 0.5, 1000);
    try (Model model = model();
        BatchTrainer batches = Trainer.of(model).loss(LOSS).lossScaling(large).batches(ROWS)) {
      float[] x = examples(new Random(3));
      for (int i = 0; i < x.length; i++) {
        x[i] *= 100;
      }
      float[] before = model.get("dense_2/kernel");
      batches.step(x, classes(x), ROWS);
      assertThat(batches.lossScale()).isEqualTo(0x1p126);
      assertThat(model.get("dense_2/kernel")).isEqualTo(before);
      for (int i = 0; i < 20; i++) {
        batches.step(x, classes(x), ROWS);
      }
      assertThat(model.get("dense_2/kernel")).isNotEqualTo(before);
      assertThat(batches.lossScale()).isBetween(0x1p110, 0x1p126);
    }
  }

  @Test
  void itNeverFallsUnderOne() {
    Outcome o = train(t -> t.lossScaling(new LossScaling(1.5, 2, 0.5, 100)), 3, 1);
    assertThat(o.scale).isEqualTo(1);
  }

  @Test
  void aResumedTrainingGoesOnToTheBit() {
    Outcome whole = fit("whole", 6, GROWS_SOON, false);
    fit("parts", 2, GROWS_SOON, false);
    Outcome resumed = fit("parts", 6, GROWS_SOON, true);
    assertThat(resumed.parameters).isEqualTo(whole.parameters);
    assertThat(resumed.scale).isEqualTo(whole.scale).isGreaterThan(1024);
    assertThatThrownBy(() -> fit("parts", 7, LossScaling.standard(), true))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("loss scaling 1024.0, x2.0 after 3, x0.5, now 65536.0");
  }

  private Outcome fit(String name, int epochs, LossScaling scaling, boolean resume) {
    Random random = new Random(5);
    float[][] x = new float[40][FEATURES];
    int[] y = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      for (int f = 0; f < FEATURES; f++) {
        x[i][f] = (float) random.nextGaussian();
      }
      y[i] = x[i][1] > 0 ? 1 : 0;
    }
    IndexedDataset data = Datasets.of(x, y);
    double[] scale = new double[1];
    try (Model model = model()) {
      Trainer.of(model)
          .epochs(epochs)
          .batchSize(ROWS)
          .accumulate(2)
          .lossScaling(scaling)
          .checkpoint(folder.resolve(name))
          .resume(resume)
          .callback(
              new Callback() {
                @Override
                public void onEpochEnd(Training training, History.Epoch epoch) {
                  scale[0] = training.lossScale();
                }
              })
          .fit(data);
      float[] parameters = new float[model.parameters().floats().capacity()];
      model.parameters().floats().get(0, parameters);
      return new Outcome(parameters, scale[0]);
    }
  }

  @Test
  void badSettingsAreRefused() {
    assertThatThrownBy(() -> new LossScaling(0, 2, 0.5, 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("initialScale is 0.0");
    assertThatThrownBy(() -> new LossScaling(1, 1, 0.5, 10)).hasMessageContaining("growthFactor");
    assertThatThrownBy(() -> new LossScaling(1, 2, 1, 10)).hasMessageContaining("backoffFactor");
    assertThatThrownBy(() -> new LossScaling(1, 2, 0.5, 0)).hasMessageContaining("growthInterval");
  }
}
