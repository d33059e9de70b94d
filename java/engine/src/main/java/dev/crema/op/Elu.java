package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import java.util.List;

/** x, or alpha · (eˣ − 1) where x is negative (Clevert et al. 2015), element by element. */
public record Elu(double alpha) implements ElementwiseOp {
  public Elu {
    if (!(alpha > 0)) {
      throw new ShapeException("the alpha of ELU must be positive, got " + alpha);
    }
  }

  @Override
  public double[] parameters() {
    return new double[] {alpha};
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.output(0).then(new EluGrad(alpha), dy.get(0)));
  }
}
