package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Models whose kernels are mostly zero are measured without the zeros. */
class SparseEvaluationTest {
  private static final int IN = 700;
  private static final int UNITS = 500;

  /** One layer, a fiftieth of whose weights is not 0; the first input has none. */
  private static Model model() {
    Model model = Model.sequential(IN).dense(UNITS, Activation.LINEAR).build(1);
    SplittableRandom random = new SplittableRandom(2);
    float[] kernel = new float[IN * UNITS];
    for (int i = UNITS; i < kernel.length; i++) {
      kernel[i] = random.nextInt(50) == 0 ? (float) random.nextDouble(-1, 1) : 0;
    }
    String layer = model.table().all().iterator().next().path().replace("/kernel", "");
    model.set(layer + "/kernel", kernel);
    model.set(layer + "/bias", new float[UNITS]);
    return model;
  }

  private static float[][] random(int rows, int columns, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[][] values = new float[rows][columns];
    for (float[] row : values) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) random.nextDouble(-1, 1);
      }
    }
    return values;
  }

  private static double meanSquaredError(float[][] x, float[] kernel, float[][] y) {
    double sum = 0;
    for (int r = 0; r < x.length; r++) {
      for (int j = 0; j < UNITS; j++) {
        double predicted = 0;
        for (int p = 1; p < IN; p++) {
          predicted += (double) x[r][p] * kernel[p * UNITS + j];
        }
        sum += (predicted - y[r][j]) * (predicted - y[r][j]);
      }
    }
    return sum / x.length / UNITS;
  }

  @Test
  void absentWeightsAddNothingAndTheRestIsMeasuredAsItIs() {
    float[][] x = random(300, IN, 3);
    float[][] y = random(300, UNITS, 4);
    x[7][0] = Float.POSITIVE_INFINITY; // times 0 is NaN where the zeros are multiplied
    Dataset data = Datasets.regression(x, y);
    try (Model model = model()) {
      String kernel = model.table().all().iterator().next().path();
      for (CpuDevice device : CpuDevice.levels()) {
        try (Evaluator evaluator = Evaluator.of(model, data, 1, device)) {
          double expected = meanSquaredError(x, model.get(kernel), y);
          // Sums of float32 over 150,000 squares, in blocks.
          assertThat(evaluator.evaluate(data).loss())
              .as("%s", device)
              .isCloseTo(expected, within(1e-5 * expected));

          float[] grown = model.get(kernel);
          for (int i = UNITS; i < grown.length; i += 997) {
            grown[i] = 0.1f; // what was packed is packed anew
          }
          model.set(kernel, grown);
          double changed = meanSquaredError(x, model.get(kernel), y);
          assertThat(evaluator.evaluate(data).loss())
              .as("%s, changed", device)
              .isCloseTo(changed, within(1e-5 * changed));
        }
      }
    }
  }
}
