package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Slices of an axis by index: x [a.., k, b..] of any element type and indices [i..] of int32 or
 * int64 give [a.., i.., b..]. An index outside [0, k) ends the run with a {@link
 * dev.crema.device.KernelException} that says which.
 *
 * @param axis counted from the first
 */
public record Gather(int axis) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    TensorType indices = requireIndices(in.get(1), "indices");
    Axes.of(x, axis);
    List<Dim> dims = new ArrayList<>(x.dims().subList(0, axis));
    dims.addAll(indices.dims());
    dims.addAll(x.dims().subList(axis + 1, x.rank()));
    return List.of(x.withDims(dims));
  }

  static TensorType requireIndices(TensorType indices, String what) {
    ElementType element = indices.element();
    if (element != ElementType.INT32 && element != ElementType.INT64) {
      throw new ShapeException(what + " must be int32 or int64 but are " + indices);
    }
    return indices;
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(axis);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    g.add(y.input(0), y.input(1).then(new GatherGrad(axis, y.input(0).type()), dy.get(0)));
  }
}
