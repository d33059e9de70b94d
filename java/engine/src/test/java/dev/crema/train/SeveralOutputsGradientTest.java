package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.nn.Model;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a step of a model with two outputs does, against the same model in float64. */
class SeveralOutputsGradientTest {
  private static final int ROWS = 7;

  // Steps of plain descent at rate 1: the difference of parameters below 2 in float32.
  private static final Offset<Double> GRADIENT = Offset.offset(2e-6);
  private static final Offset<Double> LOSS = Offset.offset(1e-6);
  private static final double H = 1e-5;

  private static Map<String, double[]> parameters(Model model) {
    Map<String, double[]> all = new LinkedHashMap<>();
    for (String layer : new String[] {"trunk", "kind", "place"}) {
      for (String part : new String[] {"/kernel", "/bias"}) {
        float[] values = model.get(layer + part);
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
          wide[i] = values[i];
        }
        all.put(layer + part, wide);
      }
    }
    return all;
  }

  private static double[] dense(Map<String, double[]> p, String layer, double[] x) {
    double[] kernel = p.get(layer + "/kernel");
    double[] y = p.get(layer + "/bias").clone();
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < y.length; j++) {
        y[j] += x[i] * kernel[i * y.length + j];
      }
    }
    return y;
  }

  /** The mean cross-entropy of "kind" and the mean squared error of "place". */
  private static double[] losses(Map<String, double[]> p) {
    double[] sums = new double[2];
    for (int row = 0; row < ROWS; row++) {
      double[] x = new double[TwoOutputs.FEATURES];
      for (int i = 0; i < x.length; i++) {
        x[i] = TwoOutputs.X[row][i];
      }
      double[] hidden = dense(p, "trunk", x);
      for (int i = 0; i < hidden.length; i++) {
        hidden[i] = Math.tanh(hidden[i]);
      }
      double[] logits = dense(p, "kind", hidden);
      double sum = 0;
      for (double l : logits) {
        sum += Math.exp(l);
      }
      sums[0] += (Math.log(sum) - logits[TwoOutputs.KIND[row]]) / ROWS;
      double[] place = dense(p, "place", hidden);
      for (int i = 0; i < place.length; i++) {
        double d = place[i] - TwoOutputs.PLACE[row][i];
        sums[1] += d * d / place.length / ROWS;
      }
    }
    return sums;
  }

  /** The gradients of both losses in every parameter, by central differences. */
  private static Map<String, double[][]> gradients(Map<String, double[]> p) {
    Map<String, double[][]> all = new LinkedHashMap<>();
    p.forEach(
        (name, values) -> {
          double[][] g = new double[values.length][2];
          for (int i = 0; i < values.length; i++) {
            double at = values[i];
            values[i] = at + H;
            double[] above = losses(p);
            values[i] = at - H;
            double[] below = losses(p);
            values[i] = at;
            g[i][0] = (above[0] - below[0]) / (2 * H);
            g[i][1] = (above[1] - below[1]) / (2 * H);
          }
          all.put(name, g);
        });
    return all;
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "0.25, 2", "0, 1", "3, 0"})
  void theGradientIsTheWeightedSumOfThoseOfTheLosses(double ofKind, double ofPlace) {
    try (Model model = TwoOutputs.model()) {
      Map<String, double[]> before = parameters(model);
      double[] losses = losses(before);
      History history =
          Trainer.of(model)
              .losses(Losses.sparseCategoricalCrossentropy(), Losses.meanSquaredError())
              .lossWeights(ofKind, ofPlace)
              .optimizer(Optimizer.sgd(1))
              .batchSize(ROWS)
              .epochs(1)
              .fit(TwoOutputs.data(ROWS));
      Map<String, double[]> after = parameters(model);
      gradients(before)
          .forEach(
              (name, g) -> {
                for (int i = 0; i < g.length; i++) {
                  assertThat(before.get(name)[i] - after.get(name)[i])
                      .as("%s[%d]", name, i)
                      .isCloseTo(ofKind * g[i][0] + ofPlace * g[i][1], GRADIENT);
                }
              });
      assertThat(history.last().metric("kind_loss")).isCloseTo(losses[0], LOSS);
      assertThat(history.last().metric("place_loss")).isCloseTo(losses[1], LOSS);
      assertThat(history.last().metric("loss"))
          .isCloseTo(ofKind * losses[0] + ofPlace * losses[1], LOSS);
    }
  }

  @Test
  void ofOneOutputAloneTheOtherStaysAsItWas() {
    try (Model model = TwoOutputs.model()) {
      Map<String, double[]> before = parameters(model);
      Trainer.of(model)
          .outputs("place")
          .optimizer(Optimizer.sgd(1))
          .batchSize(ROWS)
          .epochs(1)
          .fit(TwoOutputs.places(ROWS));
      Map<String, double[]> after = parameters(model);
      gradients(before)
          .forEach(
              (name, g) -> {
                for (int i = 0; i < g.length; i++) {
                  assertThat(before.get(name)[i] - after.get(name)[i])
                      .as("%s[%d]", name, i)
                      .isCloseTo(g[i][1], GRADIENT);
                }
              });
      assertThat(after.get("kind/kernel")).isEqualTo(before.get("kind/kernel"));
    }
  }
}
