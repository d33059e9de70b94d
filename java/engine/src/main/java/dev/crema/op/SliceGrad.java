package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Gradient of {@link Slice}: its elements back in their places, zeros elsewhere.
 *
 * @param type of the result
 */
public record SliceGrad(Slice slice, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType dy = in.get(0).requireElement(ElementType.FLOAT32, "gradient");
    if (!slice.infer(List.of(type)).get(0).equals(dy)) {
      throw new ShapeException(dy + " is not that slice of " + type);
    }
    return List.of(type);
  }

  @Override
  public void attributes(Attributes a) {
    slice.attributes(a);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(slice));
  }
}
