package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link SigmoidCrossEntropy}: (x, z, dy) to (sigmoid(x) − z) · dy. */
public record SigmoidCrossEntropyGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 3;
  }
}
