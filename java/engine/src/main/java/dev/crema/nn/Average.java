package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.op.Mul;
import java.util.List;

/** The mean of inputs of one shape, element by element. */
public record Average() implements Layer {
  @Override
  public int arity() {
    return -1;
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node sum = new Add().build(context, inputs);
    return inputs.size() == 1
        ? sum
        : sum.then(new Mul(), context.graph().constant(1f / inputs.size()));
  }
}
