package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link HardSigmoid}: (y, dy) to dy times its slope. */
public record HardSigmoidGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
