package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class PadTest {
  private static final List<Long> BEFORE = List.of(0L, 2L, 3L);
  private static final List<Long> AFTER = List.of(0L, 1L, 0L);

  @Test
  void aValueIsPutAround() {
    OpCheck.of(Pad.of(BEFORE, AFTER, 1.5f))
        .batched(Array64.gaussian(1, 3, 4, 17))
        .forwardOne(in -> padded(in[0], 0))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void theInsideIsMirrored() {
    OpCheck.of(new Pad(BEFORE, AFTER, Pad.Mode.REFLECT, 0))
        .batched(Array64.gaussian(1, 3, 4, 17))
        .forwardOne(in -> padded(in[0], 1))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void theEdgeIsRepeated() {
    OpCheck.of(new Pad(BEFORE, AFTER, Pad.Mode.EDGE, 0))
        .batched(Array64.gaussian(1, 3, 4, 17))
        .forwardOne(in -> padded(in[0], 2))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void aVectorIsPaddedAtBothEnds() {
    OpCheck.of(Pad.of(List.of(2L), List.of(5L), -1))
        .input(Array64.gaussian(1, 9))
        .forwardOne(
            in ->
                Moved.of(
                    in[0], -1, at -> at[0] < 2 || at[0] >= 11 ? null : new int[] {at[0] - 2}, 16))
        .tolerance(0, 2e-5)
        .run();
  }

  @Test
  void paddingThatCannotBeIsRefused() {
    List<TensorType> x = List.of(TensorType.batchOf(3, 3));
    assertThatThrownBy(() -> new Pad(BEFORE, AFTER, Pad.Mode.REFLECT, 0).infer(x))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("axis 2 of [n, 3, 3] cannot be padded by 3 and 0 in mode REFLECT");
    assertThatThrownBy(() -> Pad.of(List.of(1L, 0L, 0L), AFTER, 0).infer(x))
        .hasMessageContaining("axis 0 of [n, 3, 3] must not depend on the batch size");
  }

  private static Array64 padded(Array64 x, int mode) {
    return Moved.of(
        x,
        1.5,
        at -> {
          for (int a = 0; a < 3; a++) {
            int n = x.dim(a);
            int i = at[a] - BEFORE.get(a).intValue();
            if (mode == 0 && (i < 0 || i >= n)) {
              return null;
            }
            int mirrored = i < 0 ? -i : i >= n ? 2 * n - 2 - i : i;
            at[a] = mode == 1 ? mirrored : Math.max(0, Math.min(n - 1, i));
          }
          return at;
        },
        x.dim(0),
        x.dim(1) + 3,
        x.dim(2) + 3);
  }
}
