package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Constant;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Cuts a tensor of any element type along an axis; one output for each part, in order.
 *
 * @param axis counted from the first
 * @param sizes extents of the parts; their sum is the axis
 */
public record Split(int axis, List<Dim> sizes) implements Op {
  public Split {
    sizes = List.copyOf(sizes);
  }

  public static Split of(int axis, long... sizes) {
    return new Split(axis, Arrays.stream(sizes).mapToObj(Dim::of).toList());
  }

  /** Parts of one size. */
  public static Split even(int axis, int parts, long size) {
    long[] sizes = new long[parts];
    Arrays.fill(sizes, size);
    return of(axis, sizes);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    Axes.of(x, axis);
    Dim sum = sizes.stream().reduce(Dim.of(0), Dim::plus);
    if (sizes.isEmpty() || !sum.equals(x.dim(axis))) {
      throw new ShapeException(
          "axis " + axis + " of " + x + " is not the sum of the parts " + sizes);
    }
    return sizes.stream().map(size -> x.withDim(axis, size)).toList();
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(axis);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    List<Node> parts = new ArrayList<>();
    for (int i = 0; i < dy.size(); i++) {
      Node part = dy.get(i);
      if (part == null) { // the loss does not use it
        Node zero = y.graph().add(Constant.scalar(0));
        part = zero.then(new BroadcastTo(y.output(i).type()));
      }
      parts.add(part);
    }
    g.add(y.input(0), y.graph().add(new Concat(axis), parts.toArray(new Node[0])));
  }
}
