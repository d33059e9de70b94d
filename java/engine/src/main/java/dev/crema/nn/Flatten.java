package dev.crema.nn;

import dev.crema.graph.Dim;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Reshape;
import java.util.List;

/** All axes but the batch as one: [n, ...] → [n, features]. */
public record Flatten() implements Layer {
  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = inputs.get(0);
    TensorType type = x.type();
    Dim features = type.elements(1, type.rank());
    return x.then(new Reshape(type.withDims(List.of(type.dim(0), features))));
  }
}
