package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/** Checks that the normalisations share. */
final class NormTypes {
  private NormTypes() {}

  /** float32 [c] for [..., c]: statistics and parameters stay so whatever x is. */
  static TensorType perFeature(TensorType x) {
    return new TensorType(ElementType.FLOAT32, List.of(x.dim(-1)));
  }

  /** float32 [...] for [..., c]. */
  static TensorType perRow(TensorType x) {
    return new TensorType(ElementType.FLOAT32, x.dims().subList(0, x.rank() - 1));
  }

  /** What is normalised: of a floating type, with at least one feature. */
  static TensorType requireFeatures(TensorType x) {
    if (x.requireFloating("input").dim(-1).equals(Dim.of(0))) {
      throw new ShapeException("there are no features in " + x);
    }
    return x;
  }

  /** {@code vector}, unless absent, has one float32 for each element of x's last axis. */
  static void requirePerFeature(TensorType x, TensorType vector, String what) {
    TensorType expected = perFeature(x);
    if (vector != null && !vector.equals(expected)) {
      throw new ShapeException(
          what + " must be " + expected + " for an input " + x + " but is " + vector);
    }
  }
}
