package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Binary cross-entropy of a probability q and a target z in [0, 1], element by element; logarithms
 * end at −100. The targets have no gradient. From logits {@link SigmoidCrossEntropy} is more exact.
 */
public record BinaryCrossEntropy() implements ElementwiseOp {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(0).then(new BinaryCrossEntropyGrad(), y.input(1), dy.get(0)));
  }
}
