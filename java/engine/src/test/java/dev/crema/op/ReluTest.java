package dev.crema.op;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReluTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "3, 17", "2, 1025", "1, 40000"})
  void matchesTheReferenceAndFiniteDifferences(int rows, int columns) {
    OpCheck check =
        OpCheck.of(new Relu())
            .batched(Array64.gaussian(3, rows, columns))
            .forwardOne(in -> in[0].map(x -> Math.max(x, 0)));
    if (columns > 2000) {
      check.withoutGradient();
    }
    check.run();
  }

  @ParameterizedTest
  @CsvSource({"5, 10", "33, 7"})
  void aProductBroadcastsOverRows(int rows, int columns) {
    OpCheck.of(new Mul())
        .batched(Array64.gaussian(3, rows, columns))
        .input(Array64.gaussian(4, columns))
        .forwardOne(
            in -> {
              Array64 y = in[0].copy();
              for (int i = 0; i < y.size(); i++) {
                y.values()[i] *= in[1].values()[i % columns];
              }
              return y;
            })
        .withoutGradient()
        .run();
  }
}
