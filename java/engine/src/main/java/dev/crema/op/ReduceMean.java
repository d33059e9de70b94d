package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Mean over axes. With {@code keepDims} the axes stay with extent 1, else they go.
 *
 * @param axes counted from the first, ascending
 */
public record ReduceMean(List<Integer> axes, boolean keepDims) implements ReduceOp {
  public ReduceMean {
    axes = List.copyOf(axes);
  }

  /** The mean of all elements, a scalar. */
  public static Node all(Node x) {
    return x.then(new ReduceMean(IntStream.range(0, x.type().rank()).boxed().toList(), false));
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    TensorType x = y.input(0).type();
    Node share = dy.get(0).then(new MeanScale(), y.input(0));
    g.add(y.input(0), share.then(new Reshape(kept(x))).then(new BroadcastTo(x)));
  }
}
