package dev.crema.op;

import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores a kernel in the order in which the device's matrix product reads it, for {@link Linear}.
 * Inputs: packed [in, units rounded up to {@value #COLUMNS}], a variable; kernel [in, units]. No
 * outputs. What stands in the variable depends on the instruction set.
 */
public record PackWeights() implements Op {
  private static final int COLUMNS = 16; // of the widest vector

  /** The type of the packed form of a kernel [in, units]. */
  public static TensorType typeOf(TensorType kernel) {
    long units = kernel.dim(1).constant();
    return kernel.withDim(1, Dim.of((units + COLUMNS - 1) / COLUMNS * COLUMNS));
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType packed = in.get(0);
    TensorType kernel = in.get(1).requireRank(2, "kernel");
    kernel.requireElement(ElementType.FLOAT32, "kernel");
    if (!kernel.elements().isConstant()) {
      throw new ShapeException("a kernel has a fixed size, got " + kernel);
    }
    if (!packed.equals(typeOf(kernel))) {
      throw new ShapeException(
          "a kernel of " + kernel + " is packed into " + typeOf(kernel) + ", got " + packed);
    }
    return List.of();
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
