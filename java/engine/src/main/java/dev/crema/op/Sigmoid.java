package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** 1 / (1 + e⁻ˣ), element by element. */
public record Sigmoid() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.output(0).then(new SigmoidGrad(), dy.get(0)));
  }
}
