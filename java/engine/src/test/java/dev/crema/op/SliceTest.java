package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class SliceTest {
  @Test
  void aRangeOfOneAxisIsTaken() {
    OpCheck.of(Slice.axis(3, 1, 2, 5))
        .batched(Array64.gaussian(1, 3, 7, 5))
        .forwardOne(in -> Moved.of(in[0], at -> new int[] {at[0], at[1] + 2, at[2]}, 3, 3, 5))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void everySecondOrThirdElementIsTaken() {
    Slice slice =
        new Slice(List.of(0L, 1L, 1L), List.of(Slice.WHOLE, 8L, 17L), List.of(1L, 3L, 2L));
    OpCheck.of(slice)
        .batched(Array64.gaussian(1, 3, 9, 18))
        .forwardOne(
            in -> Moved.of(in[0], at -> new int[] {at[0], 1 + 3 * at[1], 1 + 2 * at[2]}, 3, 3, 8))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void aVectorIsSliced() {
    OpCheck.of(Slice.axis(1, 0, 3, Slice.WHOLE))
        .input(Array64.gaussian(1, 20))
        .forwardOne(in -> Moved.of(in[0], at -> new int[] {at[0] + 3}, 17))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void anEmptyRangeIsAllowed() {
    assertThat(Slice.axis(2, 1, 3, 3).infer(List.of(TensorType.batchOf(5))))
        .hasToString("[[n, 0]]");
  }

  @Test
  void whatIsOutsideIsRefused() {
    List<TensorType> x = List.of(TensorType.batchOf(5));
    assertThatThrownBy(() -> Slice.axis(2, 1, 2, 6).infer(x))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("the slice 2 to 6 by 1 is not within axis 1 of [n, 5]");
    assertThatThrownBy(() -> Slice.axis(2, 0, 1, 2).infer(x))
        .hasMessageContaining("axis 0 of [n, 5] depends on the batch size");
    assertThatThrownBy(() -> Slice.axis(2, 1, -1, 2).infer(x)).hasMessageContaining("not within");
  }
}
