package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  private static Dataset data(int rows) {
    Random random = new Random(3);
    float[][] x = new float[rows][4];
    int[] y = new int[rows];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < 4; j++) {
        x[i][j] = (float) random.nextGaussian();
      }
      y[i] = x[i][0] > 0 ? 1 : 0;
    }
    return Datasets.of(x, y);
  }

  private static Model model(int hidden) {
    return Model.sequential(4).dense(hidden, Activation.RELU).dense(2, Activation.SOFTMAX).build(1);
  }

  @Test
  void countsParametersNonZerosAndBytesAndMeasuresBoth() {
    try (Model before = model(16);
        Model after = before.copy()) {
      float[] kernel = after.get("dense_1/kernel");
      java.util.Arrays.fill(kernel, 0, 48, 0);
      after.set("dense_1/kernel", kernel);
      Comparison c = Comparison.of(before, after, data(40), 1, Device.cpu());
      Figures a = c.models().get(0);
      Figures b = c.models().get(1);
      assertThat(a.parameters()).isEqualTo(4 * 16 + 16 + 16 * 2 + 2).isEqualTo(b.parameters());
      // Biases begin as zeros.
      assertThat(a.nonZeros()).isEqualTo(4 * 16 + 16 * 2);
      assertThat(b.nonZeros()).isEqualTo(a.nonZeros() - 48);
      assertThat(b.sparsity()).isEqualTo(1 - 48.0 / 114);
      assertThat(a.fileBytes()).isGreaterThan(4L * 114).isEqualTo(b.fileBytes());
      assertThat(a.nanosOf1()).isPositive();
      assertThat(a.nanosOf32()).isPositive();
      assertThat(c.toString())
          .contains("accuracy", "file size", "non-zeros", "before", "after", "change");
      JsonNode json = c.toJson();
      assertThat(json.at("/after/non_zeros").asLong()).isEqualTo(48);
      assertThat(json.at("/before/accuracy").asDouble())
          .isEqualTo(a.evaluation().classification().accuracy());
      assertThat(json.at("/after/latency_us_batch_32").asDouble()).isPositive();
    }
  }

  @Test
  void dataOfFewerExamplesThanABatchAndModelsOfOtherSizesAreMeasuredToo() {
    try (Model a = model(3);
        Model b = model(5);
        Model c = model(7)) {
      Comparison all =
          Comparison.of(
              data(5),
              1,
              Device.cpu(),
              Candidate.of("3", a),
              Candidate.of("5", b),
              Candidate.of("7", c));
      assertThat(all.models()).extracting(Figures::parameters).containsExactly(23L, 37L, 51L);
      assertThat(all.toString()).doesNotContain("change");
    }
  }

  @Test
  void dataThatDoesNotFitIsRefused() {
    try (Model a = Model.sequential(3).dense(2, Activation.SOFTMAX).build(1);
        Model b = a.copy()) {
      assertThatThrownBy(() -> Comparison.of(a, b, data(5), 1, Device.cpu()))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("[n, 3]");
      assertThatThrownBy(() -> Comparison.of(data(5), 1, Device.cpu()))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
