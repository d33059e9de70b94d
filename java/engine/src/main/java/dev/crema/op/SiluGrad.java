package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link Silu}: (x, dy) to dy times its slope. */
public record SiluGrad() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }
}
