package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/** clip(x / 6 + 1/2, 0, 1), element by element (as PyTorch and Keras 3). */
public record HardSigmoid() implements ElementwiseOp {
  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.output(0).then(new HardSigmoidGrad(), dy.get(0)));
  }
}
