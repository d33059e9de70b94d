package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** x cut to [low, high], element by element; NaN stays NaN. */
public record Clip(double low, double high) implements ElementwiseOp {
  @Override
  public double[] parameters() {
    return new double[] {low, high};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new ClipGrad(low, high), dy.get(0)));
  }
}
