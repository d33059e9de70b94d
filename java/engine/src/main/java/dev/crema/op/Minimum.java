package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * The smaller of two, element by element; NaN if one is. The gradient of equal ones goes to the
 * first.
 */
public record Minimum() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node first = y.input(0).then(new LessEqual(), y.input(1));
    g.add(y.input(0), dy.get(0).then(new Mul(), first));
    if (g.needs(y.input(1))) {
      g.add(y.input(1), dy.get(0).then(new Mul(), first.then(new Affine(-1, 1))));
    }
  }
}
