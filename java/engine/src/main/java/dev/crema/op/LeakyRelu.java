package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** x, or slope · x where x is negative (Maas et al. 2013), element by element. */
public record LeakyRelu(double slope) implements ElementwiseOp {
  @Override
  public double[] parameters() {
    return new double[] {slope};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new LeakyReluGrad(slope), dy.get(0)));
  }
}
