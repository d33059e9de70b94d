package dev.crema.op;

import dev.crema.graph.Attributes;

/** Adagrad (Duchi et al. 2011). */
public record Adagrad(double weightDecay, double epsilon) implements UpdateOp {
  @Override
  public int moments() {
    return 1;
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(weightDecay, epsilon);
  }
}
