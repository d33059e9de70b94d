package dev.crema.train;

import static dev.crema.train.LossCheck.check;
import static dev.crema.train.LossCheck.mean;
import static dev.crema.train.LossCheck.sigmoidLoss;

import dev.crema.memory.ElementType;
import dev.crema.op.Affine;
import dev.crema.op.Array64;
import dev.crema.op.Sigmoid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses of labels each by itself, against their definition in float64. */
class BinaryLossesTest {
  @ParameterizedTest
  @CsvSource({"1, 1, 0", "1, 5, 0", "7, 1, 0.1", "33, 17, 0.2"})
  void binaryCrossentropyOfLogits(int n, int k, double smoothing) {
    check(
        Losses.binaryCrossentropy().withLabelSmoothing(smoothing),
        new Sigmoid(),
        Array64.gaussian(1, n, k),
        Array64.integers(2, 2, n, k),
        ElementType.FLOAT32,
        new float[0],
        (x, t) -> mean(x, t, (a, b) -> sigmoidLoss(a, b * (1 - smoothing) + smoothing / 2)));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "9, 5"})
  void binaryCrossentropyOfProbabilities(int n, int k) {
    check(
        Losses.binaryCrossentropy(),
        new Affine(0.5, 0),
        Array64.uniform(1, 0.2, 1.8, n, k),
        Array64.integers(2, 2, n, k),
        ElementType.FLOAT32,
        new float[0],
        (x, t) -> mean(x, t, (a, b) -> -(b * Math.log(a / 2) + (1 - b) * Math.log(1 - a / 2))));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13})
  void binaryLossesTakeClassNumbersAndAWeightForEachOfTheTwoClasses(int n) {
    Array64 x = Array64.gaussian(1, n, 1);
    Array64 labels = Array64.integers(2, 2, n);
    float[] weights = {0.25f, 4};
    check(
        Losses.binaryCrossentropy(),
        new Sigmoid(),
        x,
        labels,
        ElementType.INT32,
        weights,
        (a, t) -> weights[(int) t[0]] * sigmoidLoss(a[0], t[0]));
    check(
        Losses.hinge(),
        new Sigmoid(),
        x,
        labels,
        ElementType.INT32,
        weights,
        (a, t) -> weights[(int) t[0]] * Math.max(0, 1 - (2 * t[0] - 1) * a[0]));
  }

  @Test
  void ofSeveralLabelsAWeightCountsThePresenceOfItsLabel() {
    float[] weights = {3, 0.5f, 1};
    check(
        Losses.binaryCrossentropyFromLogits(),
        null,
        Array64.gaussian(1, 6, 3),
        Array64.integers(2, 2, 6, 3),
        ElementType.FLOAT32,
        weights,
        (x, t) -> {
          double sum = 0;
          for (int i = 0; i < 3; i++) {
            sum += (t[i] == 1 ? weights[i] : 1) * sigmoidLoss(x[i], t[i]);
          }
          return sum / 3;
        });
  }
}
