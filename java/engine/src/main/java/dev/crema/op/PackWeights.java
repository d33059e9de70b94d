package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores a kernel in the order in which the device's matrix product reads it, for {@link Linear}.
 * Inputs: packed [in, units rounded up to {@value #COLUMNS}], a variable, or half as many rows of
 * pairs for bfloat16; kernel [in, units]. No outputs. What stands in the variable depends on the
 * instruction set.
 *
 * @param precision in which it is stored
 */
public record PackWeights(Precision precision) implements Op {
  private static final int COLUMNS = 16; // of the widest vector

  /** The type of the packed form of a kernel [in, units]. */
  public static TensorType typeOf(TensorType kernel, Precision precision) {
    long in = kernel.dim(0).constant();
    long units = kernel.dim(1).constant();
    return TensorType.of(
        precision == Precision.BFLOAT16 ? (in + 1) / 2 : in,
        (units + COLUMNS - 1) / COLUMNS * COLUMNS);
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(precision == Precision.BFLOAT16);
  }

  /** A kernel [in, units] of a dense layer that can be packed. */
  static TensorType requireKernel(TensorType kernel) {
    kernel.requireRank(2, "kernel").requireElement(ElementType.FLOAT32, "kernel");
    if (!kernel.elements().isConstant()) {
      throw new ShapeException("a kernel has a fixed size, got " + kernel);
    }
    return kernel;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType packed = in.get(0);
    TensorType kernel = requireKernel(in.get(1));
    if (!packed.equals(typeOf(kernel, precision))) {
      throw new ShapeException(
          "a kernel of "
              + kernel
              + " is packed into "
              + typeOf(kernel, precision)
              + ", got "
              + packed);
    }
    return List.of();
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
