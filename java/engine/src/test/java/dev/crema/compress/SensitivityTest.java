package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which layers bear pruning, and pruning in rounds. */
class SensitivityTest {
  private static Dataset data() {
    Random random = new Random(1);
    float[][] x = new float[200][5];
    int[] y = new int[200];
    for (int i = 0; i < 200; i++) {
      for (int j = 0; j < 5; j++) {
        x[i][j] = (float) random.nextGaussian();
      }
      y[i] = x[i][0] + x[i][1] > 0 ? 1 : 0;
    }
    return Datasets.of(x, y);
  }

  private static Model model() {
    return Model.sequential(5).dense(20, Activation.TANH).dense(2, Activation.SOFTMAX).build(1);
  }

  private static Evaluation evaluate(Model model, Dataset data) {
    try (Evaluator evaluator = Evaluator.of(model, data)) {
      return evaluator.evaluate(data);
    }
  }

  @Test
  void eachLayerIsPrunedAloneAndTheModelStaysAsItIs() {
    Dataset data = data();
    try (Model model = model()) {
      Trainer.of(model).epochs(20).fit(data);
      float[] before = model.get("dense_1/kernel");
      Sensitivity s =
          Sensitivity.of(model, data, Pruner.magnitude(), 1, Device.cpu(), 0.9, 0.5, 0.97);
      assertThat(model.get("dense_1/kernel")).isEqualTo(before);
      assertThat(model.masks().isEmpty()).isTrue();
      assertThat(s.metric()).isEqualTo("accuracy");
      assertThat(s.unpruned()).isEqualTo(evaluate(model, data).classification().accuracy());
      assertThat(s.sparsities()).containsExactly(0.5, 0.9, 0.97);
      assertThat(s.layers())
          .extracting(Sensitivity.Row::layer)
          .containsExactly("dense_1", "dense_2");
      for (Sensitivity.Row row : s.layers()) {
        for (int i = 0; i < 3; i++) {
          try (Model copy = model.copy()) {
            String other = row.layer().equals("dense_1") ? "dense_2" : "dense_1";
            Pruner.magnitude().exclude(other).prune(copy, s.sparsities().get(i));
            assertThat(row.values().get(i))
                .isEqualTo(evaluate(copy, data).classification().accuracy());
          }
        }
      }
      assertThat(s.toString()).contains("accuracy", "50 %", "97 %", "dense_2");
      assertThat(s.toJson().at("/layers/dense_1")).hasSize(3);
      assertThat(s.plot().toSvg()).contains("dense_1", "dense_2", "unpruned", "sparsity");
    }
  }

  @Test
  void whatIsPrunedAlreadyStaysSoAndExcludedLayersAreLeftOut() {
    Dataset data = data();
    try (Model model = model()) {
      Pruner.magnitude().prune(model, 0.5);
      Sensitivity s =
          Sensitivity.of(model, data, Pruner.magnitude().exclude("dense_1"), 1, Device.cpu(), 0.1);
      assertThat(s.layers()).hasSize(1);
      assertThat(s.layers().get(0).values().get(0)).isEqualTo(s.unpruned());
      assertThatThrownBy(
              () -> Sensitivity.of(model, data, Pruner.magnitude(), 1, Device.cpu(), 0.1, 1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void eachRoundTakesTheSameShareAndRewindsWhatIsLeft() {
    Dataset data = data();
    try (Model model = model();
        Model start = model.copy()) {
      Trainer.of(model).epochs(5).fit(data);
      List<float[]> begun = new ArrayList<>();
      List<boolean[]> masks = new ArrayList<>();
      List<IterativePruning.Round> rounds =
          IterativePruning.of(Pruner.magnitude(), 0.9, 3)
              .rewindTo(start)
              .run(
                  model,
                  m -> {
                    begun.add(m.get("dense_1/kernel"));
                    masks.add(m.masks().get("dense_1/kernel"));
                    Trainer.of(m).optimizer(Optimizer.adam(0.02)).epochs(10).fit(data);
                  },
                  m -> evaluate(m, data));
      float[] initial = start.get("dense_1/kernel");
      for (int r = 0; r < 3; r++) {
        double expected = 1 - Math.pow(0.1, (r + 1) / 3.0);
        assertThat(rounds.get(r).sparsity()).isCloseTo(expected, within(1e-9));
        int kept = 0;
        for (int i = 0; i < initial.length; i++) {
          assertThat(begun.get(r)[i]).isEqualTo(masks.get(r)[i] ? initial[i] : 0);
          assertThat(r > 0 && masks.get(r)[i] && !masks.get(r - 1)[i]).isFalse();
          kept += masks.get(r)[i] ? 1 : 0;
        }
        assertThat(kept).isEqualTo(100 - (int) Math.round(expected * 100));
      }
      assertThat(rounds.get(2).evaluation().classification().accuracy()).isGreaterThan(0.7);
    }
  }

  @Test
  void withoutRewindingTheTrainedWeightsGoOnAndOtherStructuresAreRefused() {
    Dataset data = data();
    try (Model model = model();
        Model other = Model.sequential(5).dense(2).build(1)) {
      Trainer.of(model).epochs(5).fit(data);
      float[] trained = model.get("dense_2/kernel");
      IterativePruning.of(Pruner.magnitude().exclude("dense_2"), 0.5, 1)
          .run(
              model,
              m -> assertThat(m.get("dense_2/kernel")).isEqualTo(trained),
              m -> evaluate(m, data));
      IterativePruning strange = IterativePruning.of(Pruner.magnitude(), 0.5, 1).rewindTo(other);
      assertThatThrownBy(() -> strange.run(model, m -> {}, m -> null))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("another structure");
      assertThatThrownBy(() -> IterativePruning.of(Pruner.magnitude(), 0.5, 0))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
