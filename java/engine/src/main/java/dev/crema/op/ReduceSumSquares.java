package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Sum of squares over axes. With {@code keepDims} the axes stay with extent 1, else they go.
 *
 * @param axes counted from the first, ascending
 */
public record ReduceSumSquares(List<Integer> axes, boolean keepDims) implements ReduceOp {
  public ReduceSumSquares {
    axes = List.copyOf(axes);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    Node x = y.input(0);
    Node scaled = dy.get(0).then(new Reshape(kept(x.type()))).then(new Affine(2, 0));
    g.add(x, x.then(new Mul(), scaled));
  }
}
