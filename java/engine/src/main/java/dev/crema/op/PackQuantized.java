package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores what {@link QuantizedLinear} reads of a dense layer: its weights as int8, and for each
 * column the bias with the zero point's share as int32, and the scale of the sums. Inputs: packed
 * [in / 4, rounded up, + 2, units rounded up to {@value #COLUMNS}], a variable; kernel [in, units];
 * scales [units]; bias [units] (optional). No outputs. A weight becomes the nearest multiple of its
 * column's scale, 127 at most.
 *
 * @param x of the layer's input, uint8
 * @param y of its output, uint8; null for a layer that gives float32
 */
public record PackQuantized(QuantizationParameters x, QuantizationParameters y) implements Op {
  /** Of the features of a layer: the sums of more could pass 2^31. */
  public static final long MOST_FEATURES = 65536;

  private static final int COLUMNS = 16; // of the widest vector
  private static final int GROUP = 4;

  /** The type of the packed form of a kernel [in, units]. */
  public static TensorType typeOf(long in, long units) {
    return TensorType.of((in + GROUP - 1) / GROUP + 2, (units + COLUMNS - 1) / COLUMNS * COLUMNS);
  }

  @Override
  public boolean mayLack(int input) {
    return input == 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType kernel = in.get(1).requireRank(2, "kernel");
    kernel.requireElement(ElementType.FLOAT32, "kernel");
    if (!kernel.elements().isConstant() || kernel.dim(0).constant() > MOST_FEATURES) {
      throw new ShapeException(
          "a quantized kernel has a fixed size of at most "
              + MOST_FEATURES
              + " features, got "
              + kernel);
    }
    TensorType columns = kernel.withDims(List.of(kernel.dim(1)));
    TensorType packed = typeOf(kernel.dim(0).constant(), kernel.dim(1).constant());
    requireSame("packed", packed, in.get(0));
    requireSame("scales", columns, in.get(2));
    if (in.size() > 3 && in.get(3) != null) {
      requireSame("bias", columns, in.get(3));
    }
    QuantizeLinear.requireFits(x, ElementType.UINT8);
    return List.of();
  }

  private static void requireSame(String what, TensorType expected, TensorType got) {
    if (!got.equals(expected)) {
      throw new ShapeException(what + " must be " + expected + " but is " + got);
    }
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(x.zeroPoint()).floats(x.scale(), y == null ? 0 : y.scale());
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
