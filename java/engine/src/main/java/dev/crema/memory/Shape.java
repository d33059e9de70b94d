package dev.crema.memory;

import dev.crema.CremaException;
import java.util.Arrays;

/**
 * The concrete extent of a tensor, outermost axis first; row-major. A scalar has rank 0. Immutable.
 */
public final class Shape {
  /** The most axes a tensor may have. */
  public static final int MAX_RANK = 8;

  private final long[] dims;
  private final long elements;

  private Shape(long[] dims) {
    if (dims.length > MAX_RANK) {
      throw new CremaException(
          "A tensor has at most " + MAX_RANK + " axes, got " + dims.length + ": " + show(dims));
    }
    long product = 1;
    for (long d : dims) {
      if (d < 0) {
        throw new CremaException("Shape " + show(dims) + " has a negative extent");
      }
      try {
        product = Math.multiplyExact(product, d);
      } catch (ArithmeticException e) {
        throw new CremaException("Shape " + show(dims) + " has more than 2^63 elements", e);
      }
    }
    this.dims = dims;
    this.elements = product;
  }

  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  public int rank() {
    return dims.length;
  }

  /** Extent of an axis; a negative axis counts from the last. */
  public long dim(int axis) {
    int i = axis < 0 ? axis + dims.length : axis;
    if (i < 0 || i >= dims.length) {
      throw new CremaException("Axis " + axis + " is not one of shape " + this);
    }
    return dims[i];
  }

  public long[] dims() {
    return dims.clone();
  }

  public long elements() {
    return elements;
  }

  /**
   * Bytes of a contiguous tensor of this shape.
   *
   * @throws CremaException on overflow
   */
  public long byteSize(ElementType type) {
    try {
      return Math.multiplyExact(elements, (long) type.byteSize());
    } catch (ArithmeticException e) {
      throw new CremaException("Shape " + this + " of " + type + " has more than 2^63 bytes", e);
    }
  }

  /** This shape with {@code dim} put before its first axis. */
  public Shape prepend(long dim) {
    long[] d = new long[dims.length + 1];
    d[0] = dim;
    System.arraycopy(dims, 0, d, 1, dims.length);
    return new Shape(d);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Shape && Arrays.equals(dims, ((Shape) o).dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return show(dims);
  }

  private static String show(long[] dims) {
    StringBuilder s = new StringBuilder("[");
    for (int i = 0; i < dims.length; i++) {
      s.append(i == 0 ? "" : ", ").append(dims[i]);
    }
    return s.append(']').toString();
  }
}
