package dev.crema.op;

import dev.crema.graph.Attributes;

/** Lion (Chen et al. 2023); its weight decay is decoupled. */
public record Lion(double weightDecay, double beta1, double beta2) implements UpdateOp {
  @Override
  public int moments() {
    return 1;
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(weightDecay, beta1, beta2);
  }
}
