package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link HardSwish}: (x, dy) to dy times its slope. */
public record HardSwishGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
