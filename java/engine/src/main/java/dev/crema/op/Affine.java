package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** scale · x + shift, element by element. */
public record Affine(double scale, double shift) implements ElementwiseOp {
  @Override
  public double[] parameters() {
    return new double[] {scale, shift};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(new Affine(scale, 0)));
  }
}
