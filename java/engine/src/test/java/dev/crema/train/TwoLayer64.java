package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Regularizer;
import dev.crema.nn.Symbol;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A network of two layers with a mean squared error, as a model and once more in float64: y =
 * tanh(x A + a) B + b, with its gradients written out.
 */
final class TwoLayer64 {
  static final int IN = 3;
  static final int HIDDEN = 4;
  static final int OUT = 2;
  static final int ROWS = 10;
  static final List<String> PATHS = List.of("a/kernel", "a/bias", "b/kernel", "b/bias");

  private static final float[][] X = new float[ROWS][IN];
  private static final float[][] Y = new float[ROWS][OUT];

  static {
    SplittableRandom random = new SplittableRandom(8);
    for (int r = 0; r < ROWS; r++) {
      for (int i = 0; i < IN; i++) {
        X[r][i] = (float) random.nextDouble(-1, 1);
      }
      for (int j = 0; j < OUT; j++) {
        Y[r][j] = (float) random.nextDouble(-2, 2);
      }
    }
  }

  /** Parameters by path. */
  final Map<String, double[]> parameters = new LinkedHashMap<>();

  private final double l1;
  private final double l2;

  /**
   * @param l1 penalty on A, as {@code l2}
   */
  TwoLayer64(Model model, double l1, double l2) {
    this.l1 = l1;
    this.l2 = l2;
    PATHS.forEach(path -> parameters.put(path, wide(model.get(path))));
  }

  /** The same network with biases that are not zero. */
  static Model model(double l1, double l2) {
    Symbol x = Symbol.input("x", IN);
    Dense first = Dense.of(HIDDEN, Activation.TANH).withKernelRegularizer(new Regularizer(l1, l2));
    Symbol y = Dense.of(OUT).named("b", first.named("a", x));
    Model model = Model.of(List.of(x), List.of(y), 5);
    model.set("a/bias", new float[] {0.3f, -0.2f, 0.1f, 0.4f});
    model.set("b/bias", new float[] {-0.1f, 0.2f});
    return model;
  }

  static Dataset data() {
    return Datasets.regression(X, Y);
  }

  private static double[] wide(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  /** The gradients of mean squared error and penalties over the rows of a batch. */
  Map<String, double[]> gradients(int from, int to) {
    Map<String, double[]> g = new LinkedHashMap<>();
    parameters.forEach((path, values) -> g.put(path, new double[values.length]));
    for (int r = from; r < to; r++) {
      row(r, 2.0 / OUT / (to - from), g);
    }
    double[] kernel = parameters.get("a/kernel");
    for (int i = 0; i < kernel.length; i++) {
      g.get("a/kernel")[i] += l1 * Math.signum(kernel[i]) + 2 * l2 * kernel[i];
    }
    return g;
  }

  private void row(int r, double factor, Map<String, double[]> g) {
    double[] kernelA = parameters.get("a/kernel");
    double[] kernelB = parameters.get("b/kernel");
    double[] h = new double[HIDDEN];
    for (int k = 0; k < HIDDEN; k++) {
      h[k] = parameters.get("a/bias")[k];
      for (int i = 0; i < IN; i++) {
        h[k] += X[r][i] * kernelA[i * HIDDEN + k];
      }
      h[k] = Math.tanh(h[k]);
    }
    double[] dh = new double[HIDDEN];
    for (int j = 0; j < OUT; j++) {
      double y = parameters.get("b/bias")[j];
      for (int k = 0; k < HIDDEN; k++) {
        y += h[k] * kernelB[k * OUT + j];
      }
      double dy = factor * (y - Y[r][j]);
      g.get("b/bias")[j] += dy;
      for (int k = 0; k < HIDDEN; k++) {
        g.get("b/kernel")[k * OUT + j] += dy * h[k];
        dh[k] += dy * kernelB[k * OUT + j];
      }
    }
    for (int k = 0; k < HIDDEN; k++) {
      double d = dh[k] * (1 - h[k] * h[k]);
      g.get("a/bias")[k] += d;
      for (int i = 0; i < IN; i++) {
        g.get("a/kernel")[i * HIDDEN + k] += d * X[r][i];
      }
    }
  }
}
