package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Smallest element over axes; NaN if one is. Equal ones share the gradient. With {@code keepDims}
 * the axes stay with extent 1, else they go.
 *
 * @param axes counted from the first, ascending
 */
public record ReduceMin(List<Integer> axes, boolean keepDims) implements Op {
  public ReduceMin {
    axes = List.copyOf(axes);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return new ReduceSum(axes, keepDims).infer(in);
  }

  @Override
  public void attributes(Attributes a) {
    axes.forEach(a::ints);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    TensorType x = y.input(0).type();
    TensorType kept = new ReduceSum(axes, true).infer(List.of(x)).get(0);
    Node best = y.output(0).then(new Reshape(kept));
    Node hits = y.input(0).then(new Equal(), best);
    Node count = hits.then(new ReduceSum(axes, true));
    Node share = dy.get(0).then(new Reshape(kept)).then(new Div(), count);
    g.add(y.input(0), hits.then(new Mul(), share));
  }
}
