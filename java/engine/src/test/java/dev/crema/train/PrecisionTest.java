package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Mnist;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Precision;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Training and prediction with products of bfloat16. */
class PrecisionTest {
  private static final int IN = 37;
  private static final int HIDDEN = 20;
  private static final int OUT = 5;

  private static Model model() {
    return Model.sequential(IN).dense(HIDDEN, Activation.RELU).dense(OUT).build(5);
  }

  private static float[] random(long seed, int n) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** The nearest bfloat16, half to even. */
  private static float rounded(float x) {
    int bits = Float.floatToRawIntBits(x);
    return Float.intBitsToFloat((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
  }

  private static float[] dense(float[] x, float[] kernel, float[] bias, boolean relu) {
    float[] y = new float[bias.length];
    for (int u = 0; u < y.length; u++) {
      double sum = bias[u];
      for (int i = 0; i < x.length; i++) {
        sum += (double) rounded(x[i]) * rounded(kernel[i * y.length + u]);
      }
      y[u] = (float) (relu ? Math.max(0, sum) : sum);
    }
    return y;
  }

  private static float[] reference(Model model, float[] x) {
    float[] hidden = dense(x, model.get("dense_1/kernel"), model.get("dense_1/bias"), true);
    return dense(hidden, model.get("dense_2/kernel"), model.get("dense_2/bias"), false);
  }

  @Test
  void factorsAreRoundedAndNothingElse() {
    for (int rows : new int[] {1, 3, 9, 40}) {
      float[] x = random(rows, rows * IN);
      for (Device device : CpuDevice.levels()) {
        try (Model model = model();
            Predictor predictor = model.predictor(rows, 0, device, Precision.BFLOAT16)) {
          float[] y = new float[rows * OUT];
          predictor.predict(x, y, rows);
          for (int r = 0; r < rows; r++) {
            float[] example = new float[IN];
            System.arraycopy(x, r * IN, example, 0, IN);
            float[] expected = reference(model, example);
            for (int i = 0; i < OUT; i++) {
              // A hidden value next to the middle of two bfloat16 may be rounded the other way.
              assertThat(Math.abs(y[r * OUT + i] - expected[i])).isLessThan(1e-2f);
            }
          }
        }
      }
    }
  }

  @Test
  void digitsAreLearntAsWellAsWithFloat32() {
    Mnist digits = Mnist.sample();
    double difference = 0;
    for (long seed = 1; seed <= 3; seed++) {
      double a = accuracy(digits, seed, Precision.FLOAT32);
      double b = accuracy(digits, seed, Precision.BFLOAT16);
      difference += (b - a) / 3;
    }
    // One seed differs by 0.2 points of 2,000 digits either way; the mean of three by 0.1.
    assertThat(Math.abs(difference)).isLessThan(0.005);
  }

  private static double accuracy(Mnist digits, long seed, Precision precision) {
    try (Model model =
        Model.sequential(784)
            .dense(128, Activation.RELU)
            .dense(10, Activation.SOFTMAX)
            .build(seed)) {
      Trainer.of(model).seed(seed).epochs(4).precision(precision).fit(digits.train());
      try (Evaluator evaluator = Evaluator.of(model, digits.test())) {
        return evaluator.evaluate(digits.test()).classification().accuracy();
      }
    }
  }

  @Test
  void theCpuHasNoFloat16AndSaysWhatToDo() {
    try (Model model = model()) {
      assertThatThrownBy(() -> model.predictor(4, 0, Device.cpu(), Precision.FLOAT16))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("FLOAT16 needs kernels for float16, but cpu")
          .hasMessageContaining("Use BFLOAT16 or FLOAT32 there, or a CUDA device");
    }
  }

  @Test
  void tf32IsFloat32OnTheCpu() {
    float[] x = random(9, 4 * IN);
    float[] plain = new float[4 * OUT];
    float[] rounded = new float[4 * OUT];
    try (Model model = model();
        Predictor a = model.predictor(4, 0, Device.cpu(), Precision.FLOAT32);
        Predictor b = model.predictor(4, 0, Device.cpu(), Precision.TF32)) {
      a.predict(x, plain, 4);
      b.predict(x, rounded, 4);
    }
    assertThat(rounded).containsExactly(plain);
  }
}
