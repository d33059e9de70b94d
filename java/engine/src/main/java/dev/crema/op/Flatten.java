package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.TensorType;
import java.util.ArrayList;
import java.util.List;

/** Reshapes that merge axes: they move nothing. */
public final class Flatten {
  private Flatten() {}

  /** [n, a, b, ..] to [n, a·b·..]. */
  public static Reshape of(TensorType x) {
    return from(x, 1);
  }

  /** Keeps the first {@code axes} axes and merges the others into one. */
  public static Reshape from(TensorType x, int axes) {
    List<Dim> dims = new ArrayList<>(x.dims().subList(0, axes));
    dims.add(x.elements(axes, x.rank()));
    return new Reshape(x.withDims(dims));
  }

  /** Merges all axes but the last: [n, t, d] to [n·t, d]. */
  public static Reshape toRows(TensorType x) {
    int last = x.rank() - 1;
    return new Reshape(x.withDims(List.of(x.elements(0, last), x.dim(last))));
  }
}
