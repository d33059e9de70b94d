package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Relu}: (y, dy) to dy where y is positive, else 0. */
public record ReluGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
