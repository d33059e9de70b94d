package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * The same values as another floating type, rounded to the nearest, ties to even; beyond float16's
 * range they become infinite. Inside a chain of element-wise ops nothing is rounded: there a value
 * is, where it is stored. What flows back is cast to the input's type.
 */
public record Cast(ElementType element) implements ElementwiseOp {
  public Cast {
    if (!element.isFloating()) {
      throw new ShapeException("a cast is to FLOAT32, BFLOAT16 or FLOAT16 but is to " + element);
    }
  }

  /** {@code x} as that type: itself where it is of it. */
  static Node to(ElementType element, Node x) {
    return x.type().element() == element ? x : x.then(new Cast(element));
  }

  @Override
  public String operation() {
    return "copy";
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    requireArity(in);
    return List.of(in.get(0).requireFloating("input").withElement(element));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0));
  }
}
