package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores what {@link QuantizedLinear} and {@link QuantizedConv2d} read of a layer: its weights as
 * int8, and for each output the bias with the zero point's share as int32, and the scale of the
 * sums; or, for {@link DynamicQuantizedLinear}, the sum of the weights and their scale. Inputs:
 * packed [steps + 3, units rounded up to {@value #COLUMNS}], a variable (cards keep the sums of the
 * weights in the last row); kernel [..., units]; scales [units]; bias [units] (optional). No
 * outputs. A weight becomes the nearest multiple of its output's scale, 127 at most. A step is of
 * four rows of the kernel, at most: of a run.
 *
 * @param x of the layer's input, uint8; null: known when it runs, and the bias is not stored
 * @param y of its output, uint8; null for a layer that gives float32
 * @param run rows of the kernel, seen as [rows, units], whose inputs follow one another in memory:
 *     all of a dense layer's
 */
public record PackQuantized(QuantizationParameters x, QuantizationParameters y, long run)
    implements Op {
  /** Of the inputs that an output is a sum of: the sums of more could pass 2^31. */
  public static final long MOST_FEATURES = 65536;

  private static final int COLUMNS = 16; // of the widest vector
  private static final int GROUP = 4;

  /** The type of the packed form of a kernel [rows, units] in runs of so many rows. */
  public static TensorType typeOf(long rows, long run, long units) {
    long steps = rows / run * ((run + GROUP - 1) / GROUP);
    return TensorType.of(steps + 3, (units + COLUMNS - 1) / COLUMNS * COLUMNS);
  }

  /** Inputs that each output of a kernel [..., units] is a sum of. */
  public static long rowsOf(TensorType kernel) {
    return kernel.elements(0, kernel.rank() - 1).constant();
  }

  @Override
  public boolean mayLack(int input) {
    return input == 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType kernel = in.get(1).requireElement(ElementType.FLOAT32, "kernel");
    if (kernel.rank() < 2 || !kernel.elements().isConstant() || rowsOf(kernel) > MOST_FEATURES) {
      throw new ShapeException(
          "a quantized kernel has a fixed size of at most "
              + MOST_FEATURES
              + " features, got "
              + kernel);
    }
    long rows = rowsOf(kernel);
    if (run < 1 || rows % run != 0) {
      throw new ShapeException("the kernel " + kernel + " does not fall into runs of " + run);
    }
    TensorType columns = kernel.withDims(List.of(kernel.dim(-1)));
    requireSame("packed", typeOf(rows, run, kernel.extent(-1)), in.get(0));
    requireSame("scales", columns, in.get(2));
    if (in.size() > 3 && in.get(3) != null) {
      requireSame("bias", columns, in.get(3));
    }
    if (x != null) {
      QuantizeLinear.requireFits(x, ElementType.UINT8);
    }
    return List.of();
  }

  private static void requireSame(String what, TensorType expected, TensorType got) {
    if (!got.equals(expected)) {
      throw new ShapeException(what + " must be " + expected + " but is " + got);
    }
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(x == null ? 0 : x.zeroPoint(), run)
        .floats(x == null ? 0 : x.scale(), y == null ? 0 : y.scale());
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
