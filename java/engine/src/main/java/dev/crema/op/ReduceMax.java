package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Greatest element over axes; NaN if one is. Equal ones share the gradient. With {@code keepDims}
 * the axes stay with extent 1, else they go.
 *
 * @param axes counted from the first, ascending
 */
public record ReduceMax(List<Integer> axes, boolean keepDims) implements ReduceOp {
  public ReduceMax {
    axes = List.copyOf(axes);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    shareAmongEqual(y, dy.get(0), g);
  }
}
