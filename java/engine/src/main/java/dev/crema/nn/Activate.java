package dev.crema.nn;

import dev.crema.graph.Node;
import java.util.List;

/** An activation as a layer of its own. Any shape. */
public record Activate(Activation activation) implements Layer {
  public Activate {
    activation = activation == null ? Activation.LINEAR : activation;
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    return activation.apply(inputs.get(0));
  }
}
