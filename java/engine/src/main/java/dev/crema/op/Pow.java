package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * The first to the power of the second, element by element, as IEEE 754 defines pow. The gradient
 * in the exponent is NaN where the base is negative.
 */
public record Pow() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    if (g.needs(y.input(0))) {
      Node less = y.input(0).then(new Pow(), y.input(1).then(new Affine(1, -1)));
      g.add(y.input(0), less.then(new Mul(), y.input(1)).then(new Mul(), dy.get(0)));
    }
    if (g.needs(y.input(1))) {
      Node log = y.input(0).then(new Log());
      g.add(y.input(1), y.output(0).then(new Mul(), log).then(new Mul(), dy.get(0)));
    }
  }
}
