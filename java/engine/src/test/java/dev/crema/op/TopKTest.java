package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TopKTest {
  @Test
  void theGreatestOfEachRowComeInOrderWithTheirPositions() {
    for (int[] size : new int[][] {{1, 1, 1}, {3, 10, 4}, {2, 17, 17}, {5, 100, 5}}) {
      Array64 x = Array64.gaussian(1, size[0], size[1]);
      OpCheck.of(new TopK(size[2])).batched(x).forward(in -> values(in[0], size[2], false)).run();
      OpCheck.of(new TopK(size[2]))
          .batched(x.map(v -> Math.rint(v) + 0.0)) // no -0, which sorts below 0
          .forward(in -> values(in[0], size[2], true))
          .withoutGradient()
          .run();
    }
  }

  @Test
  void moreThanARowHoldsIsRefused() {
    assertThatThrownBy(() -> new TopK(4).infer(List.of(TensorType.batchOf(3))))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("cannot take the 4 greatest of each row of [n, 3]");
  }

  private static Array64[] values(Array64 x, int k, boolean positions) {
    int n = x.dim(1);
    Array64 values = Array64.zeros(x.dim(0), k);
    Array64 where = Array64.zeros(x.dim(0), k);
    for (int r = 0; r < x.dim(0); r++) {
      int row = r * n;
      List<Integer> order =
          IntStream.range(0, n)
              .boxed()
              .sorted(Comparator.comparingDouble((Integer i) -> -x.values()[row + i]))
              .toList();
      for (int i = 0; i < k; i++) {
        where.values()[r * k + i] = order.get(i);
        values.values()[r * k + i] = x.values()[row + order.get(i)];
      }
    }
    return positions ? new Array64[] {values, where} : new Array64[] {values};
  }
}
