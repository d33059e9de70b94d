package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** The error function, element by element. */
public record Erf() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node bell = y.input(0).then(new Square()).then(new Neg()).then(new Exp());
    Node slope = bell.then(new Affine(2 / Math.sqrt(Math.PI), 0));
    g.add(y.input(0), slope.then(new Mul(), dy.get(0)));
  }
}
