package dev.crema.graph;

import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is known of a tensor before anything runs: its element type and its extents. Immutable. */
public record TensorType(ElementType element, List<Dim> dims) {
  public TensorType {
    dims = List.copyOf(dims);
    if (dims.size() > Shape.MAX_RANK) {
      throw new ShapeException("A tensor has at most " + Shape.MAX_RANK + " axes, got " + dims);
    }
  }

  /** float32 of constant extents. */
  public static TensorType of(long... extents) {
    return of(ElementType.FLOAT32, extents);
  }

  public static TensorType of(ElementType element, long... extents) {
    List<Dim> dims = new ArrayList<>();
    for (long e : extents) {
      dims.add(Dim.of(e));
    }
    return new TensorType(element, dims);
  }

  /** float32 [n, extents...]. */
  public static TensorType batchOf(long... extents) {
    return batchOf(ElementType.FLOAT32, extents);
  }

  public static TensorType batchOf(ElementType element, long... extents) {
    List<Dim> dims = new ArrayList<>(of(element, extents).dims);
    dims.add(0, Dim.BATCH);
    return new TensorType(element, dims);
  }

  public int rank() {
    return dims.size();
  }

  /** Extent of an axis; a negative axis counts from the last. */
  public Dim dim(int axis) {
    return dims.get(axis(axis));
  }

  /** Extent of an axis that must not depend on the batch size. */
  public long extent(int axis) {
    Dim d = dim(axis);
    if (!d.isConstant()) {
      throw new ShapeException(
          "axis " + axis + " of " + this + " must not depend on the batch size");
    }
    return d.constant();
  }

  /**
   * Axis counted from the first, for an axis that may be counted from the last by a negative
   * number.
   */
  public int axis(int axis) {
    int i = axis < 0 ? axis + rank() : axis;
    if (i < 0 || i >= rank()) {
      throw new ShapeException("axis " + axis + " is not one of " + this);
    }
    return i;
  }

  public Dim elements() {
    Dim product = Dim.of(1);
    for (Dim d : dims) {
      product = product.times(d);
    }
    return product;
  }

  /** Product of the extents of axes [from, to). */
  public Dim elements(int from, int to) {
    Dim product = Dim.of(1);
    for (Dim d : dims.subList(from, to)) {
      product = product.times(d);
    }
    return product;
  }

  public TensorType withDims(List<Dim> newDims) {
    return new TensorType(element, newDims);
  }

  public TensorType withDim(int axis, Dim dim) {
    List<Dim> d = new ArrayList<>(dims);
    d.set(axis(axis), dim);
    return new TensorType(element, d);
  }

  public TensorType withElement(ElementType newElement) {
    return new TensorType(newElement, dims);
  }

  public boolean sameDims(TensorType other) {
    return dims.equals(other.dims);
  }

  /** The concrete shape for a batch of that size. */
  public Shape at(long batch) {
    return Shape.of(dims.stream().mapToLong(d -> d.at(batch)).toArray());
  }

  public TensorType requireRank(int rank, String what) {
    if (rank() != rank) {
      throw new ShapeException(what + " must have " + rank + " axes but is " + this);
    }
    return this;
  }

  public TensorType requireElement(ElementType expected, String what) {
    if (element != expected) {
      throw new ShapeException(what + " must be " + expected + " but is " + this);
    }
    return this;
  }

  /** float32, bfloat16 or float16. */
  public TensorType requireFloating(String what) {
    if (!element.isFloating()) {
      throw new ShapeException(what + " must be FLOAT32, BFLOAT16 or FLOAT16 but is " + this);
    }
    return this;
  }

  /**
   * The type that {@code a} and {@code b} broadcast to (NumPy's rule): axes are aligned at the
   * last; an extent of 1 repeats.
   */
  public static TensorType broadcast(TensorType a, TensorType b) {
    if (a.element != b.element) {
      throw new ShapeException("element types differ: " + a + " and " + b + ". Cast one of them.");
    }
    List<Dim> dims = new ArrayList<>();
    int rank = Math.max(a.rank(), b.rank());
    for (int i = 0; i < rank; i++) {
      int ia = i - (rank - a.rank());
      int ib = i - (rank - b.rank());
      Dim da = ia < 0 ? Dim.of(1) : a.dims.get(ia);
      Dim db = ib < 0 ? Dim.of(1) : b.dims.get(ib);
      if (da.equals(db) || db.equals(Dim.of(1))) {
        dims.add(da);
      } else if (da.equals(Dim.of(1))) {
        dims.add(db);
      } else {
        throw new ShapeException(
            "shapes " + a + " and " + b + " do not broadcast: " + da + " against " + db);
      }
    }
    return new TensorType(a.element, dims);
  }

  /** For example {@code [n, 28, 28, 1]}, with the element type when it is not float32. */
  @Override
  public String toString() {
    String shape = dims.stream().map(Dim::toString).collect(Collectors.joining(", ", "[", "]"));
    return element == ElementType.FLOAT32
        ? shape
        : shape + " " + element.name().toLowerCase(Locale.ROOT);
  }
}
