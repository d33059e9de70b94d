package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import org.junit.jupiter.api.Test;

class ArgMaxTest {
  @Test
  void theFirstOfTheGreatestIsFoundAlongEachAxis() {
    Array64 x = Array64.gaussian(1, 5, 19, 18).map(v -> Math.rint(2 * v));
    x.values()[40] = Double.NaN;
    x.values()[77] = Double.NaN;
    x.values()[100] = Double.NEGATIVE_INFINITY;
    for (int axis = 1; axis <= 2; axis++) {
      int along = axis;
      OpCheck.of(new ArgMax(axis))
          .batched(x)
          .forwardOne(in -> reference(in[0], along))
          .withoutGradient()
          .run();
    }
    OpCheck.of(new ArgMax(0))
        .input(x)
        .forwardOne(in -> reference(in[0], 0))
        .withoutGradient()
        .run();
  }

  @Test
  void anAxisOfUnknownExtentIsRefused() {
    assertThatThrownBy(() -> new ArgMax(0).infer(List.of(TensorType.batchOf(3))))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("axis 0 of [n, 3] must not depend on the batch size");
  }

  private static Array64 reference(Array64 x, int axis) {
    long[] dims = new long[2];
    for (int a = 0, i = 0; a < 3; a++) {
      if (a != axis) {
        dims[i++] = x.dim(a);
      }
    }
    Array64 y = Array64.zeros(dims);
    for (int i = 0; i < y.size(); i++) {
      int[] at = new int[3];
      at[axis == 0 ? 1 : 0] = i / (int) dims[1];
      at[axis == 2 ? 1 : 2] = i % (int) dims[1];
      double best = Double.NEGATIVE_INFINITY;
      for (int k = x.dim(axis) - 1; k >= 0; k--) {
        at[axis] = k;
        double v = x.values()[Moved.offset(x, at)];
        if (Double.isNaN(v) || v >= best) {
          best = Double.isNaN(v) ? Double.POSITIVE_INFINITY : v;
          y.values()[i] = k;
        }
      }
    }
    return y;
  }
}
