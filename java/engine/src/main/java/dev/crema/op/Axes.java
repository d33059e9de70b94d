package dev.crema.op;

import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;

/** Axes of ops' attributes: a kernel reads them without knowing a rank, so they count from 0. */
final class Axes {
  private Axes() {}

  /** The axis, if {@code x} has it. */
  static int of(TensorType x, int axis) {
    if (axis < 0 || axis >= x.rank()) {
      throw new ShapeException("axis " + axis + " is not one of " + x + "; axes count from 0");
    }
    return axis;
  }
}
