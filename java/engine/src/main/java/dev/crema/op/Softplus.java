package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** log(1 + eˣ) (Dugas et al. 2001), element by element; does not overflow. */
public record Softplus() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new SoftplusGrad(), dy.get(0)));
  }
}
