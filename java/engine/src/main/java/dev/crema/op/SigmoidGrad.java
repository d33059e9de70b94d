package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Sigmoid}: (y, dy) to dy times its slope. */
public record SigmoidGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
