package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Position of the greatest element along an axis, which goes: float32 to int32. The first one where
 * several are equal; NaN counts as the greatest. It has no gradient.
 *
 * @param axis counted from the first
 */
public record ArgMax(int axis) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "input");
    long extent = x.extent(Axes.of(x, axis));
    if (extent < 1 || extent > Integer.MAX_VALUE) {
      throw new ShapeException("axis " + axis + " of " + x + " has no greatest element");
    }
    List<Dim> dims = new ArrayList<>(x.dims());
    dims.remove(axis);
    return List.of(new TensorType(ElementType.INT32, dims));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(axis);
  }
}
