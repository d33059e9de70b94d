package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Elu}: (y, dy) to dy times its slope. */
public record EluGrad(double alpha) implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public double[] parameters() {
    return new double[] {alpha};
  }
}
