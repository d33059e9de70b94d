package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Slice}: its elements back in their places, zeros elsewhere.
 *
 * @param type of the result; its elements are of the type of what it is given
 */
public record SliceGrad(Slice slice, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType dy = in.get(0).requireFloating("gradient");
    if (!slice.infer(List.of(type)).get(0).sameDims(dy)) {
      throw new ShapeException(dy + " is not that slice of " + type);
    }
    return List.of(type.withElement(dy.element()));
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
