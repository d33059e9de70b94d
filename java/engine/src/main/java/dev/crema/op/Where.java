package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** (condition, a, b): a where the condition is not 0, else b, element by element. */
public record Where() implements ElementwiseOp {
  @Override
  public int arity() {
    return 3;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node zero = dy.get(0).graph().constant(0);
    g.add(y.input(1), y.input(0).then(new Where(), dy.get(0), zero));
    g.add(y.input(2), y.input(0).then(new Where(), zero, dy.get(0)));
  }
}
