package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/** Checks that the normalisations share. */
final class NormTypes {
  private NormTypes() {}

  /** What is normalised: float32 with at least one feature. */
  static TensorType requireFeatures(TensorType x) {
    if (x.requireElement(ElementType.FLOAT32, "input").dim(-1).equals(Dim.of(0))) {
      throw new ShapeException("there are no features in " + x);
    }
    return x;
  }

  /** {@code vector}, unless absent, has one value for each element of x's last axis. */
  static void requirePerFeature(TensorType x, TensorType vector, String what) {
    TensorType expected = x.withDims(List.of(x.dim(-1)));
    if (vector != null && !vector.equals(expected)) {
      throw new ShapeException(
          what + " must be " + expected + " for an input " + x + " but is " + vector);
    }
  }
}
