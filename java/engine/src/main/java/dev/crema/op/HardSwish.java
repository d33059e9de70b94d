package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** x · clip(x / 6 + 1/2, 0, 1) (Howard et al. 2019), element by element. */
public record HardSwish() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new HardSwishGrad(), dy.get(0)));
  }
}
