package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Softplus}: (x, dy) to dy times its slope. */
public record SoftplusGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
