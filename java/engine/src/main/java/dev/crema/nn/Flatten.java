package dev.crema.nn;

import dev.crema.graph.Node;
import java.util.List;

/** All axes but the batch as one: [n, ...] → [n, features]. Moves nothing. */
public record Flatten() implements Layer {
  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = inputs.get(0);
    return x.then(dev.crema.op.Flatten.of(x.type()));
  }
}
