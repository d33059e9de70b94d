package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** Quotient of two, element by element. */
public record Div() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node scaled = dy.get(0).then(new Div(), y.input(1));
    g.add(y.input(0), scaled);
    if (g.needs(y.input(1))) {
      g.add(y.input(1), scaled.then(new Mul(), y.output(0)).then(new Neg()));
    }
  }
}
