package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Clip}: (x, dy) to dy where x lies in [low, high], else 0. */
public record ClipGrad(double low, double high) implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public double[] parameters() {
    return new double[] {low, high};
  }
}
