package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import java.util.List;

/** Of a difference d: d² / 2 where |d| is at most delta, linear beyond (Huber 1964). */
public record Huber(double delta) implements ElementwiseOp {
  public Huber {
    if (!(delta > 0)) {
      throw new ShapeException("the delta of Huber's loss must be positive, got " + delta);
    }
  }

  @Override
  public double[] parameters() {
    return new double[] {delta};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new Clip(-delta, delta)).then(new Mul(), dy.get(0)));
  }
}
