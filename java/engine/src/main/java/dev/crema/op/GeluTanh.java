package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * The approximation of {@link Gelu} by tanh: x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2
 * (Hendrycks and Gimpel 2016), element by element.
 */
public record GeluTanh() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new GeluTanhGrad(), dy.get(0)));
  }
}
