package dev.crema.op;

import dev.crema.graph.Attributes;

/** RMSprop (Tieleman and Hinton 2012). */
public record Rmsprop(double weightDecay, double rho, double epsilon) implements UpdateOp {
  @Override
  public int moments() {
    return 1;
  }

  @Override
  public void attributes(Attributes a) {
    a.floats(weightDecay, rho, epsilon);
  }
}
