package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Selu}: (y, dy) to dy times its slope. */
public record SeluGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
