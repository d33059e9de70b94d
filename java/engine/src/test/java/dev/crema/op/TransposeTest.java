package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransposeTest {
  @Test
  void aMatrixIsTransposed() {
    for (int[] size : new int[][] {{1, 1}, {3, 17}, {33, 18}, {1, 40}, {67, 5}}) {
      check(false, new int[] {1, 0}, size[0], size[1]);
    }
  }

  @Test
  void axesOfABatchAreReordered() {
    check(true, new int[] {0, 2, 1}, 3, 19, 17);
    check(true, new int[] {0, 2, 1, 3}, 2, 5, 3, 7); // heads of attention
    check(true, new int[] {0, 2, 3, 1}, 2, 3, 5, 4);
    check(true, new int[] {2, 1, 0}, 3, 2, 5);
    check(true, new int[] {1, 0}, 5, 33);
    check(true, new int[] {3, 0, 2, 1, 4}, 2, 3, 2, 3, 2);
  }

  @Test
  void theBatchAxisMovesWithTheOthers() {
    TensorType x = TensorType.batchOf(3, 4);
    assertThat(Transpose.swap(3, 0, -1).infer(List.of(x))).hasToString("[[4, 3, n]]");
    assertThat(Transpose.of(2, 0, 1).inverse()).isEqualTo(Transpose.of(1, 2, 0));
  }

  @Test
  void whatIsNoPermutationIsRefused() {
    assertThatThrownBy(() -> Transpose.of(0, 0))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("[0, 0] is not a permutation of the axes 0 to 1");
    assertThatThrownBy(() -> Transpose.of(1, 0).infer(List.of(TensorType.of(3))))
        .hasMessageContaining("input must have 2 axes but is [3]");
  }

  private static void check(boolean batched, int[] permutation, long... dims) {
    Array64 x = Array64.gaussian(5, dims);
    long[] out = new long[dims.length];
    for (int a = 0; a < dims.length; a++) {
      out[a] = dims[permutation[a]];
    }
    OpCheck check = OpCheck.of(Transpose.of(permutation));
    (batched ? check.batched(x) : check.input(x))
        .forwardOne(
            in ->
                Moved.of(
                    in[0],
                    at -> {
                      int[] from = new int[at.length];
                      for (int a = 0; a < at.length; a++) {
                        from[permutation[a]] = at[a];
                      }
                      return from;
                    },
                    out))
        .tolerance(0, 2e-5)
        .run();
  }
}
