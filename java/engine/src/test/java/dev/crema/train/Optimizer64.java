package dev.crema.train;

import java.util.HashMap;
import java.util.Map;

/** The optimisers once more, in float64 and a tensor at a time, as their papers and PyTorch say. */
final class Optimizer64 {
  private final String name;
  private final double weightDecay;
  private final Map<String, double[][]> moments = new HashMap<>();

  Optimizer64(String name, double weightDecay) {
    this.name = name;
    this.weightDecay = weightDecay;
  }

  double weightDecay() {
    return weightDecay;
  }

  /**
   * Changes a tensor.
   *
   * @param t number of the update, from 1
   */
  void update(String path, double[] w, double[] g, double rate, double decay, int t) {
    double[][] m = moments.computeIfAbsent(path, p -> new double[2][w.length]);
    double[] step = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      double coupled = g[i] + decay * w[i];
      step[i] =
          switch (name) {
            case "sgd" -> coupled;
            case "momentum" -> m[0][i] = 0.9 * m[0][i] + coupled;
            case "nesterov" -> coupled + 0.9 * (m[0][i] = 0.9 * m[0][i] + coupled);
            case "adam" -> adam(m, i, coupled, 1e-8, t);
            case "adamw" -> adam(m, i, g[i], 1e-8, t) + decay * w[i];
            case "lamb" -> adam(m, i, g[i], 1e-6, t) + decay * w[i];
            case "rmsprop" ->
                coupled / (Math.sqrt(m[1][i] = 0.99 * m[1][i] + 0.01 * coupled * coupled) + 1e-8);
            case "adagrad" -> coupled / (Math.sqrt(m[1][i] += coupled * coupled) + 1e-10);
            case "lion" -> {
              double sign = Math.signum(0.9 * m[0][i] + 0.1 * g[i]);
              m[0][i] = 0.99 * m[0][i] + 0.01 * g[i];
              yield sign + decay * w[i];
            }
            default -> throw new IllegalArgumentException(name);
          };
    }
    double trust = name.equals("lamb") ? trust(w, step) : 1;
    for (int i = 0; i < w.length; i++) {
      w[i] -= rate * trust * step[i];
    }
  }

  private static double adam(double[][] m, int i, double g, double epsilon, int t) {
    m[0][i] = 0.9 * m[0][i] + 0.1 * g;
    m[1][i] = 0.999 * m[1][i] + 0.001 * g * g;
    double mean = m[0][i] / (1 - Math.pow(0.9, t));
    double square = m[1][i] / (1 - Math.pow(0.999, t));
    return mean / (Math.sqrt(square) + epsilon);
  }

  private static double trust(double[] w, double[] step) {
    double ofWeights = norm(w);
    double ofStep = norm(step);
    return ofWeights > 0 && ofStep > 0 ? ofWeights / ofStep : 1;
  }

  private static double norm(double[] v) {
    double sum = 0;
    for (double x : v) {
      sum += x * x;
    }
    return Math.sqrt(sum);
  }
}
