package dev.crema.nn;

import dev.crema.graph.Node;
import java.util.List;

/** The sum of inputs of one shape, element by element. */
public record Add() implements Layer {
  @Override
  public int arity() {
    return -1;
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    context.requireSame(inputs);
    Node y = context.floats(inputs.get(0));
    for (Node x : inputs.subList(1, inputs.size())) {
      y = y.then(new dev.crema.op.Add(), x);
    }
    return y;
  }
}
