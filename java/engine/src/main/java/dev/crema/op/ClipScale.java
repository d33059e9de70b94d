package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** most / x where x is greater than most, else 1: what scales a vector of norm x down. */
public record ClipScale(double most) implements ElementwiseOp {
  @Override
  public double[] parameters() {
    return new double[] {most};
  }
}
