package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * A tensor of an instruction at one batch size.
 *
 * @param address of its first element on the device; aligned to 64 bytes, but to its elements only
 *     where it lies among a model's parameters
 * @param shape extents, row-major
 */
public record Operand(long address, ElementType type, long[] shape) {
  public int rank() {
    return shape.length;
  }

  /** Extent of an axis; a negative axis counts from the last. */
  public long dim(int axis) {
    return shape[axis < 0 ? axis + shape.length : axis];
  }

  public long elements() {
    return elements(0, shape.length);
  }

  /** Product of the extents of axes [from, to). */
  public long elements(int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product *= shape[i];
    }
    return product;
  }

  public long bytes() {
    return elements() * type.byteSize();
  }

  /** Extent of the last axis; 1 of a scalar. */
  public long last() {
    return shape.length == 0 ? 1 : shape[shape.length - 1];
  }

  /** Product of all extents but the last: the tensor seen as a matrix of rows. */
  public long rows() {
    return elements(0, Math.max(0, shape.length - 1));
  }
}
