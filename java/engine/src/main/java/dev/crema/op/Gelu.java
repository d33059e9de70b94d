package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * x · Φ(x), Φ the distribution function of the normal distribution (Hendrycks and Gimpel 2016),
 * element by element. Exact; {@link GeluTanh} is the approximation.
 */
public record Gelu() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new GeluGrad(), dy.get(0)));
  }
}
