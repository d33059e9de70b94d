package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class SplitTest {
  @Test
  void theLastAxisIsCutIntoParts() {
    OpCheck.of(Split.of(1, 1, 17, 4))
        .batched(Array64.gaussian(1, 5, 22))
        .forward(
            in ->
                new Array64[] {
                  part(in[0], 1, 0, 5, 1), part(in[0], 1, 1, 5, 17), part(in[0], 1, 18, 5, 4)
                })
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void aMiddleAxisIsCutEvenly() {
    OpCheck.of(Split.even(1, 2, 3))
        .batched(Array64.gaussian(1, 4, 6, 5))
        .forward(in -> new Array64[] {part(in[0], 1, 0, 4, 3, 5), part(in[0], 1, 3, 4, 3, 5)})
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void aPartThatTheLossDoesNotUseGetsZeros() {
    OpCheck.of(Split.even(1, 2, 3)) // the second output is not checked and has no gradient
        .batched(Array64.gaussian(1, 4, 6))
        .forwardOne(in -> part(in[0], 1, 0, 4, 3))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void theBatchIsCutAsItWasJoined() {
    TensorType x = TensorType.batchOf(4);
    Split split = new Split(0, List.of(Dim.BATCH, Dim.of(3)));
    assertThat(split.infer(List.of(x.withDim(0, new Dim(1, 3))))).hasToString("[[n, 4], [3, 4]]");
  }

  @Test
  void partsMustAddUp() {
    assertThatThrownBy(() -> Split.of(1, 2, 3).infer(List.of(TensorType.batchOf(6))))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("axis 1 of [n, 6] is not the sum of the parts [2, 3]");
  }

  private static Array64 part(Array64 x, int axis, int begin, long... dims) {
    return Moved.of(
        x,
        at -> {
          at[axis] += begin;
          return at;
        },
        dims);
  }
}
