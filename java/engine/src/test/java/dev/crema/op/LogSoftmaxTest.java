package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LogSoftmaxTest {
  /** x less the logarithm of the sum of the exponentials along an axis, without overflow. */
  private static Array64 reference(Array64 x, int axis) {
    List<Integer> axes = List.of(axis);
    Array64 most = Arrays64.reduce(x, axes, true, Double.NEGATIVE_INFINITY, Math::max);
    Array64 shifted = Arrays64.zip(x, most, (a, b) -> a - b);
    Array64 sums = Arrays64.reduce(shifted.map(Math::exp), axes, true, 0, Double::sum);
    return Arrays64.zip(shifted, sums, (a, b) -> a - Math.log(b));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10, 65})
  void matchesTheReferenceAndFiniteDifferences(int columns) {
    OpCheck.of(new LogSoftmax())
        .batched(Array64.uniform(1, -8, 8, 5, columns))
        .forwardOne(in -> reference(in[0], 1))
        .run();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 3, 5, 1",
    "2, 17, 4, 1",
    "3, 2, 33, 2",
    "2, 1, 7, 1",
    "1, 5, 1, 2",
    "2, 3, 4, -2"
  })
  void takesAnyAxis(int batch, int rows, int columns, int axis) {
    Array64 x = Array64.uniform(2, -8, 8, batch, rows, columns);
    OpCheck.graph(in -> LogSoftmax.over(in[0], axis))
        .batched(x)
        .forwardOne(in -> reference(in[0], Math.floorMod(axis, 3)))
        .run();
    OpCheck.graph(in -> Softmax.over(in[0], axis))
        .batched(x)
        .forwardOne(in -> reference(in[0], Math.floorMod(axis, 3)).map(Math::exp))
        .run();
  }

  @Test
  void theBatchMayBeTheAxis() {
    OpCheck.graph(in -> LogSoftmax.over(in[0], 0))
        .batched(Array64.uniform(3, -8, 8, 6, 3))
        .forwardOne(in -> reference(in[0], 0))
        .run();
  }

  @Test
  void hugeNumbersDoNotOverflowAndNaNStaysInItsRow() {
    Array64 x = Array64.gaussian(5, 4, 3, 9).map(v -> (float) (v * 1000));
    x.values()[31] = Double.NaN;
    x.values()[60] = Double.NEGATIVE_INFINITY;
    for (int axis : new int[] {1, 2}) {
      OpCheck.graph(in -> LogSoftmax.over(in[0], axis))
          .batched(x)
          .forwardOne(in -> nanWhole(in[0], axis))
          .withoutGradient()
          .run();
    }
  }

  /** As the reference, whose greatest is NaN where one of the values is. */
  private static Array64 nanWhole(Array64 x, int axis) {
    Array64 nans = Arrays64.reduce(x, List.of(axis), true, 0, (a, b) -> Double.isNaN(b) ? b : a);
    Array64 clean = x.map(v -> Double.isNaN(v) ? 0 : v);
    return Arrays64.zip(reference(clean, axis), nans, (y, n) -> Double.isNaN(n) ? Double.NaN : y);
  }

  @Test
  void anAxisThatIsNoneIsNamed() {
    Graph graph = new Graph();
    assertThatThrownBy(() -> LogSoftmax.over(graph.input("x", TensorType.batchOf(3)), 2))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("axis 2 is not one of");
  }
}
