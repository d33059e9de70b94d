package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Sum over axes. With {@code keepDims} the axes stay with extent 1, else they go.
 *
 * @param axes counted from the first, ascending
 */
public record ReduceSum(List<Integer> axes, boolean keepDims) implements ReduceOp {
  public ReduceSum {
    axes = List.copyOf(axes);
  }

  /** The sum of all elements, a scalar. */
  public static Node all(Node x) {
    return x.then(new ReduceSum(IntStream.range(0, x.type().rank()).boxed().toList(), false));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    TensorType x = y.input(0).type();
    g.add(y.input(0), dy.get(0).then(new Reshape(kept(x))).then(new BroadcastTo(x)));
  }
}
