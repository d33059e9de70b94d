package dev.crema.op;

import dev.crema.graph.Attributes;

/**
 * Gradient descent with momentum (Polyak 1964) or Nesterov's look-ahead (Sutskever et al. 2013).
 */
public record Momentum(double weightDecay, double momentum, boolean nesterov) implements UpdateOp {
  @Override
  public int moments() {
    return 1;
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(nesterov).floats(weightDecay, momentum);
  }
}
