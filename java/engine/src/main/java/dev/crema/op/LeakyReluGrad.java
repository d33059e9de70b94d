package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link LeakyRelu}: (x, dy) to dy times its slope. */
public record LeakyReluGrad(double slope) implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public double[] parameters() {
    return new double[] {slope};
  }
}
