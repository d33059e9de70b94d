package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Gelu}: (x, dy) to dy times its slope. */
public record GeluGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
