package dev.crema.train;

import static dev.crema.train.LossCheck.check;
import static dev.crema.train.LossCheck.oneHot;
import static dev.crema.train.LossCheck.row;
import static dev.crema.train.LossCheck.softmax;

import dev.crema.memory.ElementType;
import dev.crema.op.Array64;
import dev.crema.op.Softmax;
import java.util.Arrays;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses of one class of several, against their definition in float64. */
class CategoricalLossesTest {
  @ParameterizedTest
  @CsvSource({"1, 3, 0, false", "12, 5, 0.1, true"})
  void categoricalCrossentropyOfOneHotTargets(int n, int k, double smoothing, boolean weighted) {
    float[] weights = new float[weighted ? k : 0];
    Arrays.fill(weights, 1.5f);
    check(
        Losses.categoricalCrossentropy().withLabelSmoothing(smoothing),
        new Softmax(),
        Array64.gaussian(4, n, k),
        oneHot(5, n, k),
        ElementType.FLOAT32,
        weights,
        (x, t) -> {
          double[] p = softmax(x);
          double sum = 0;
          for (int c = 0; c < k; c++) {
            sum -= ((1 - smoothing) * t[c] + smoothing / k) * Math.log(p[c]);
          }
          return (weighted ? 1.5 : 1) * sum;
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 2, false", "19, 7, true", "8, 3, false"})
  void categoricalHingeIsKeras(int n, int k, boolean weighted) {
    float[] weights = new float[weighted ? k : 0];
    Arrays.fill(weights, 2.5f);
    ToDoubleBiFunction<double[], double[]> hinge =
        (x, t) -> {
          double right = 0;
          double best = Double.NEGATIVE_INFINITY;
          for (int c = 0; c < k; c++) {
            right += t[c] * x[c];
            best = Math.max(best, (1 - t[c]) * x[c]);
          }
          return (weighted ? 2.5 : 1) * Math.max(0, best - right + 1);
        };
    check(
        Losses.categoricalHinge(),
        new Softmax(),
        Array64.gaussian(4, n, k),
        oneHot(5, n, k),
        ElementType.FLOAT32,
        weights,
        hinge);
    check(
        Losses.categoricalHinge(),
        null,
        Array64.gaussian(4, n, k),
        Array64.integers(5, k, n),
        ElementType.INT32,
        weights,
        (x, t) -> {
          double[] hot = new double[k];
          hot[(int) t[0]] = 1;
          return hinge.applyAsDouble(x, hot);
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "19, 7"})
  void divergenceIsASumOverClasses(int n, int k) {
    Array64 targets = Array64.zeros(n, k);
    for (int r = 0; r < n; r++) {
      double[] p = softmax(row(Array64.gaussian(2 + r, 1, k), 0));
      p[0] = r % 2 == 0 ? 0 : p[0]; // a class that cannot be
      for (int c = 0; c < k; c++) {
        targets.values()[r * k + c] = (float) p[c];
      }
    }
    check(
        Losses.klDivergence(),
        new Softmax(),
        Array64.gaussian(1, n, k),
        targets,
        ElementType.FLOAT32,
        new float[0],
        (x, t) -> {
          double[] p = softmax(x);
          double sum = 0;
          for (int c = 0; c < k; c++) {
            sum += t[c] == 0 ? 0 : t[c] * Math.log(t[c] / p[c]);
          }
          return sum;
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "19, 7"})
  void divergenceFromOneClassIsItsWeightedCrossEntropy(int n, int k) {
    float[] weights = new float[k];
    for (int c = 0; c < k; c++) {
      weights[c] = 0.5f + c;
    }
    check(
        Losses.klDivergence(),
        new Softmax(),
        Array64.gaussian(1, n, k),
        Array64.integers(3, k, n),
        ElementType.INT32,
        weights,
        (x, t) -> -weights[(int) t[0]] * Math.log(softmax(x)[(int) t[0]]));
  }
}
