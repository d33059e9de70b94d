package dev.crema.op;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinearTest {
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "5, 100, 64", "32, 17, 10", "2, 3, 33"})
  void withAndWithoutBiasMatchesTheReference(int n, int in, int units) {
    for (FusedActivation activation :
        new FusedActivation[] {FusedActivation.NONE, FusedActivation.RELU}) {
      OpCheck.of(new Linear(activation))
          .batched(Array64.gaussian(1, n, in))
          .input(Array64.gaussian(2, in, units))
          .input(Array64.gaussian(3, units))
          .forwardOne(
              x -> {
                Array64 y = MatMulTest.product(x[0], x[1], false, false);
                for (int i = 0; i < y.size(); i++) {
                  double v = y.values()[i] + x[2].values()[i % units];
                  y.values()[i] = activation == FusedActivation.RELU ? Math.max(0, v) : v;
                }
                return y;
              })
          .tolerance(5e-6, 2e-5)
          .run();
    }
  }
}
