package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** 1 / √x, element by element. */
public record Rsqrt() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node cube = y.output(0).then(new Square()).then(new Mul(), y.output(0));
    g.add(y.input(0), cube.then(new Affine(-0.5, 0)).then(new Mul(), dy.get(0)));
  }
}
