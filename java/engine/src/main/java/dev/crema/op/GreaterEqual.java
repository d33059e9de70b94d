package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** 1 where a ≥ b, else 0, element by element. Has no gradient. */
public record GreaterEqual() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
