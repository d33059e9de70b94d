package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Sum over axes. With {@code keepDims} the axes stay with extent 1, else they go.
 *
 * @param axes counted from the first, ascending
 */
public record ReduceSum(List<Integer> axes, boolean keepDims) implements Op {
  public ReduceSum {
    axes = List.copyOf(axes);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "input");
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < x.rank(); i++) {
      if (!axes.contains(i)) {
        dims.add(x.dim(i));
      } else if (keepDims) {
        dims.add(Dim.of(1));
      }
    }
    axes.forEach(x::axis);
    return List.of(x.withDims(dims));
  }

  @Override
  public void attributes(Attributes a) {
    axes.forEach(a::ints);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    TensorType x = y.input(0).type();
    List<Dim> kept = new ArrayList<>(x.dims());
    axes.forEach(i -> kept.set(i, Dim.of(1)));
    g.add(y.input(0), dy.get(0).then(new Reshape(x.withDims(kept))).then(new BroadcastTo(x)));
  }
}
