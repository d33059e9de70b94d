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
 * Gradient of {@link Gather}: (indices, dy) to dx, in which each slice of dy is added at its index,
 * in the order of the indices: the same bits for any thread count.
 *
 * @param type of dx
 */
public record GatherGrad(int axis, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType dy = in.get(1).requireFloating("gradient");
    if (!new Gather(axis).infer(List.of(type, in.get(0))).get(0).sameDims(dy)) {
      throw new ShapeException(dy + " is not gathered from " + type + " by " + in.get(0));
    }
    return List.of(type);
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(axis);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(1), dy.get(0).then(new Gather(axis), y.input(0)));
  }
}
