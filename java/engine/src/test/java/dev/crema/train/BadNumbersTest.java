package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a loss that is not finite comes from. */
class BadNumbersTest {
  private static void fit(float[][] x, float[][] y, double rate) {
    Dataset data = Datasets.regression(x, y);
    try (Model model = Model.sequential(2).dense(1).build(1)) {
      Trainer.of(model)
          .optimizer(Optimizer.sgd(rate))
          .batchSize(2)
          .shuffle(false)
          .epochs(50)
          .fit(data);
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.NEGATIVE_INFINITY})
  void aNumberOfTheDataIsNamed(float bad) {
    float[][] x = {{1, 2}, {3, 4}, {5, 6}, {7, bad}};
    float[][] y = {{1}, {2}, {3}, {4}};
    assertThatThrownBy(() -> fit(x, y, 0.01))
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("epoch 1, step 2", "is " + bad + " in example 2 of this batch");
  }

  @Test
  void soIsOneOfTheTargets() {
    float[][] y = {{1}, {2}, {Float.NaN}, {4}};
    assertThatThrownBy(() -> fit(new float[4][2], y, 0.01))
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("step 2", "is NaN in example 1 of this batch");
  }

  @Test
  void ifTheDataIsFiniteTheTrainingIsAtFault() {
    float[][] x = {{1e3f, 2e3f}, {3e3f, 4e3f}};
    assertThatThrownBy(() -> fit(x, new float[][] {{1}, {2}}, 1e30))
        .isInstanceOf(CremaException.class)
        .hasMessageContainingAll("the data is finite", "Lower the learning rate");
  }
}
