package dev.crema.train;

import static dev.crema.train.LossCheck.check;
import static dev.crema.train.LossCheck.mean;

import dev.crema.memory.ElementType;
import dev.crema.op.Array64;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses of numbers, against their definition in float64. */
class RegressionLossesTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "1, 4", "21, 5"})
  void regressionLossesAreMeansOfTheirTerms(int n, int k) {
    Array64 x = Array64.gaussian(1, n, k);
    Array64 t = Array64.gaussian(2, n, k);
    float[] none = {};
    ElementType f = ElementType.FLOAT32;
    check(Losses.of("mse"), null, x, t, f, none, (a, b) -> mean(a, b, (p, q) -> (p - q) * (p - q)));
    check(Losses.of("mae"), null, x, t, f, none, (a, b) -> mean(a, b, (p, q) -> Math.abs(p - q)));
    for (double delta : new double[] {1, 0.3}) {
      check(
          Losses.of("huber:" + delta),
          null,
          x,
          t,
          f,
          none,
          (a, b) ->
              mean(
                  a,
                  b,
                  (p, q) -> {
                    double d = Math.abs(p - q);
                    return d <= delta ? d * d / 2 : delta * (d - delta / 2);
                  }));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "21, 5"})
  void cosineSimilarityIsTheNegatedCosine(int n, int k) {
    check(
        Losses.cosineSimilarity(),
        null,
        Array64.gaussian(1, n, k),
        Array64.gaussian(2, n, k),
        ElementType.FLOAT32,
        new float[0],
        (a, b) -> {
          double dot = 0;
          double aa = 0;
          double bb = 0;
          for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
          }
          return -dot / Math.sqrt(aa * bb);
        });
  }
}
