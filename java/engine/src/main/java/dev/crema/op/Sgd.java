package dev.crema.op;

import dev.crema.graph.Attributes;

/** Gradient descent: w −= rate · (g + decay · w). */
public record Sgd(double weightDecay) implements UpdateOp {
  @Override
  public int moments() {
    return 0;
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(weightDecay);
  }
}
