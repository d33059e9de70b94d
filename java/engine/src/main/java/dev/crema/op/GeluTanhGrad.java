package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link GeluTanh}: (x, dy) to dy times its slope. */
public record GeluTanhGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
