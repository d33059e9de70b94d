package dev.crema.nn;

import dev.crema.graph.Node;
import java.util.List;

/** The maximum of each channel over all positions: [n, ..., c] → [n, c]. */
public record GlobalMaxPool() implements Layer {
  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = context.floats(inputs.get(0));
    if (x.type().rank() < 3) {
      throw context.refuse(
          "[n, ..., channels] with positions between", x, "It belongs behind convolutions.");
    }
    return x.then(new dev.crema.op.GlobalMaxPool());
  }
}
