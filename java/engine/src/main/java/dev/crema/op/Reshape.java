package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The same elements with other extents; shares the input's memory. Floating elements keep their
 * type whichever floating type {@code type} is of.
 */
public record Reshape(TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    if (!x.elements().equals(type.elements()) || !isAs(x.element())) {
      throw new ShapeException(
          "cannot reshape "
              + x
              + " ("
              + x.elements()
              + " elements) to "
              + type
              + " ("
              + type.elements()
              + ")");
    }
    return List.of(type.withElement(x.element()));
  }

  private boolean isAs(ElementType element) {
    return element == type.element() || element.isFloating() && type.element().isFloating();
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0).then(new Reshape(y.input(0).type())));
  }

  @Override
  public int alias() {
    return 0;
  }
}
