package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/** Repeats axes of extent 1 (and missing leading axes) up to the extents of a type. */
public record BroadcastTo(TensorType type) implements ElementwiseOp {
  @Override
  public String operation() {
    return "copy";
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    requireArity(in);
    in.get(0).requireFloating("input");
    TensorType to = type.withElement(in.get(0).element());
    if (!TensorType.broadcast(in.get(0), to).equals(to)) {
      throw new ShapeException(in.get(0) + " does not broadcast to " + type);
    }
    return List.of(to);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), dy.get(0));
  }
}
