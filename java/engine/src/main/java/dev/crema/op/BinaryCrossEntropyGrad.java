package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link BinaryCrossEntropy}: (q, z, dy) to (q − z) / (q (1 − q)) · dy. */
public record BinaryCrossEntropyGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 3;
  }
}
