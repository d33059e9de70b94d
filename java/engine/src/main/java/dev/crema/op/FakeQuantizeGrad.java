package dev.crema.op;

import dev.crema.graph.ElementwiseOp;

/** Gradient of {@link FakeQuantize}: (x, dy) to dy where x rounds to a byte in range, else 0. */
public record FakeQuantizeGrad(QuantizationParameters q) implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public double[] parameters() {
    return new FakeQuantize(q).parameters();
  }
}
