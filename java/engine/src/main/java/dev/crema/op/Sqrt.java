package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** Square root, element by element; NaN for a negative number. */
public record Sqrt() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(new Div(), y.output(0).then(new Affine(2, 0))));
  }
}
