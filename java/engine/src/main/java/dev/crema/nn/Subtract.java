package dev.crema.nn;

import dev.crema.graph.Node;
import dev.crema.op.Sub;
import java.util.List;

/** The first input minus the second, of one shape, element by element. */
public record Subtract() implements Layer {
  @Override
  public int arity() {
    return 2;
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    context.requireSame(inputs);
    Node y = context.floats(inputs.get(0));
    for (Node x : inputs.subList(1, inputs.size())) {
      y = y.then(new Sub(), x);
    }
    return y;
  }
}
