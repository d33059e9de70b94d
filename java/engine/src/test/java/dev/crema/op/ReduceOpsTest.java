package dev.crema.op;

import java.util.List;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReduceOpsTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 5, 40})
  void reducesTheLastAxisWithItsGradient(int columns) {
    Array64 x = Array64.gaussian(1, 3, columns);
    List<Integer> last = List.of(1);
    OpCheck.of(new ReduceSum(last, false))
        .batched(x)
        .forwardOne(in -> rows(in[0], Double::sum, 0))
        .run();
    OpCheck.of(new ReduceMax(last, false))
        .batched(x)
        .forwardOne(in -> rows(in[0], Math::max, Double.NEGATIVE_INFINITY))
        .run();
    OpCheck.of(new ReduceMin(last, false))
        .batched(x)
        .forwardOne(in -> rows(in[0], Math::min, Double.POSITIVE_INFINITY))
        .run();
    OpCheck.of(new ReduceSumSquares(last, false))
        .batched(x)
        .forwardOne(in -> rows(in[0].map(v -> v * v), Double::sum, 0))
        .run();
  }

  @Test
  void reducesTheBatchAway() {
    Array64 x = Array64.gaussian(1, 7, 12);
    OpCheck.of(new ReduceSum(List.of(0), false)).batched(x).forwardOne(in -> columns(in[0])).run();
    OpCheck.of(new ReduceMean(List.of(0), true))
        .batched(x)
        .forwardOne(in -> columns(in[0]).map(v -> v / 7).reshape(1, 12))
        .run();
  }

  private static Array64 rows(Array64 x, DoubleBinaryOperator join, double start) {
    int columns = x.dim(1);
    Array64 y = Array64.zeros(x.dim(0));
    for (int r = 0; r < y.size(); r++) {
      double total = start;
      for (int i = 0; i < columns; i++) {
        total = join.applyAsDouble(total, x.values()[r * columns + i]);
      }
      y.values()[r] = total;
    }
    return y;
  }

  private static Array64 columns(Array64 x) {
    Array64 y = Array64.zeros(x.dim(1));
    for (int i = 0; i < x.size(); i++) {
      y.values()[i % y.size()] += x.values()[i];
    }
    return y;
  }
}
