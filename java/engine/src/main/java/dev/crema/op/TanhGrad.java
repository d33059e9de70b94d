package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Tanh}: (y, dy) to dy times its slope. */
public record TanhGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
