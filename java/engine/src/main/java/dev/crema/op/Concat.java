package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Joins any number of tensors of one element type along an axis; the batch axis too, where [n, d]
 * and [n, d] give [2n, d].
 *
 * @param axis counted from the first
 */
public record Concat(int axis) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    if (in.isEmpty()) {
      throw new ShapeException("there is nothing to join");
    }
    TensorType first = in.get(0);
    int at = Axes.of(first, axis);
    Dim sum = Dim.of(0);
    for (int i = 0; i < in.size(); i++) {
      TensorType x = in.get(i);
      boolean fits =
          x.element() == first.element()
              && x.rank() == first.rank()
              && x.withDim(at, Dim.of(1)).equals(first.withDim(at, Dim.of(1)));
      if (!fits) {
        throw new ShapeException(
            "input " + i + " is " + x + "; it must be as " + first + " except in axis " + at);
      }
      sum = sum.plus(x.dim(at));
    }
    return List.of(first.withDim(at, sum));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(axis);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    List<Dim> sizes = y.inputs().stream().map(x -> x.type().dim(axis)).toList();
    Application parts = y.graph().apply(new Split(axis, sizes), dy.get(0));
    for (int i = 0; i < sizes.size(); i++) {
      g.add(y.input(i), parts.output(i));
    }
  }
}
