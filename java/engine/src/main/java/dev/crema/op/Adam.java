package dev.crema.op;

import dev.crema.graph.Attributes;

/**
 * Adam (Kingma and Ba 2015); with {@code decoupled} weight decay AdamW (Loshchilov and Hutter
 * 2019).
 */
public record Adam(
    double weightDecay, double beta1, double beta2, double epsilon, boolean decoupled)
    implements UpdateOp {
  @Override
  public int moments() {
    return 2;
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(decoupled).floats(weightDecay, beta1, beta2, epsilon);
  }
}
