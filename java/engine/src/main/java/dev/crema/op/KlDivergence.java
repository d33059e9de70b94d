package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Terms of the Kullback-Leibler divergence of log-probabilities from target probabilities z: z ·
 * (log z − log q), 0 where z is 0. The targets have no gradient.
 */
public record KlDivergence() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(new Mul(), y.input(1)).then(new Neg()));
  }
}
