package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Datasets;
import dev.crema.data.IndexedDataset;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A small model learns under every loss, from targets of the kinds that the loss takes. */
class LossTrainingTest {
  private static final int ROWS = 300;
  private static final int OUTPUTS = 3;

  private static float[][] inputs() {
    Random random = new Random(3);
    float[][] x = new float[ROWS][4];
    for (float[] row : x) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  /** Three sums of the inputs, which a linear layer can find. */
  private static float[] sums(float[] x) {
    return new float[] {x[0] + x[1], x[1] - x[2], x[3] - x[0]};
  }

  private static int highest(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private static IndexedDataset data(String target) {
    float[][] x = inputs();
    int[] classes = new int[ROWS];
    float[][] numbers = new float[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      float[] sums = sums(x[r]);
      switch (target) {
        case "classes" -> classes[r] = highest(sums);
        case "two" -> classes[r] = sums[0] > 0 ? 1 : 0;
        case "one-hot" -> {
          numbers[r] = new float[OUTPUTS];
          numbers[r][highest(sums)] = 1;
        }
        case "labels" -> {
          numbers[r] = new float[OUTPUTS];
          for (int i = 0; i < OUTPUTS; i++) {
            numbers[r][i] = sums[i] > 0 ? 1 : 0;
          }
        }
        default -> numbers[r] = sums;
      }
    }
    boolean numbered = target.equals("classes") || target.equals("two");
    return numbered ? Datasets.of(x, classes) : Datasets.regression(x, numbers);
  }

  @ParameterizedTest
  @CsvSource({
    "cce, SOFTMAX, 3, classes",
    "scce, SOFTMAX, 3, one-hot",
    "cce, LINEAR, 3, classes",
    "bce, SIGMOID, 1, two",
    "bce, HARD_SIGMOID, 1, two",
    "bce, SIGMOID, 3, labels",
    "bce_with_logits, LINEAR, 3, labels",
    "bce_with_logits, LINEAR, 1, two",
    "mse, LINEAR, 3, values",
    "mae, LINEAR, 3, values",
    "huber, LINEAR, 3, values",
    "huber:0.2, LINEAR, 3, values",
    "kld, SOFTMAX, 3, one-hot",
    "kld, SOFTMAX, 3, classes",
    "kld, LOG_SOFTMAX, 3, one-hot",
    "hinge, LINEAR, 3, labels",
    "hinge, SIGMOID, 1, two",
    "categorical_hinge, SOFTMAX, 3, classes",
    "categorical_hinge, LINEAR, 3, one-hot",
    "cosine, LINEAR, 3, values"
  })
  void learns(String loss, Activation last, int units, String target) {
    IndexedDataset data = data(target);
    try (Model model = Model.sequential(4).dense(units, last).build(1)) {
      History history =
          Trainer.of(model)
              .loss(Losses.of(loss))
              .optimizer(Optimizer.adam(0.02))
              .epochs(30)
              .validation(data)
              .fit(data);
      double first = history.epochs().get(0).metric("loss");
      double end = history.last().metric("loss");
      assertThat(end).isFinite();
      assertThat(first - end).as("from %s to %s", first, end).isGreaterThan(0.4 * Math.abs(first));
      if (!target.equals("values")) {
        assertThat(history.last().metric("accuracy")).isGreaterThan(0.9);
        assertThat(history.last().metric("val_accuracy")).isGreaterThan(0.9);
      } else if (!loss.equals("cosine")) {
        assertThat(history.last().metric("val_r2")).isGreaterThan(0.9);
      }
      assertThat(model.metadata().get("loss").asText()).isEqualTo(Losses.of(loss).name());
      try (Evaluator evaluator = Evaluator.of(model, data)) {
        // The measure is of the parameters after the last epoch; the same plan gave val_loss.
        assertThat(evaluator.evaluate(data).loss()).isEqualTo(history.last().metric("val_loss"));
      }
    }
  }
}
