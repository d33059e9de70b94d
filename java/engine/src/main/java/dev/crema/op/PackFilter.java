package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;
import java.util.Set;

/**
 * Stores the kernel of a convolution in the form in which the device multiplies it by images of one
 * size, for {@link Conv2d} and {@link Conv1d}. Inputs: packed, a variable of rank 1; kernel [kh,
 * kw, in / groups, out], or [k, in / groups, out]. No outputs. What stands in the variable depends
 * on the instruction set: filters of Winograd's for some windows of 3 x 3 and 5 x 5, else rows of
 * vectors.
 *
 * @param height of the images; 1 for sequences
 * @param width of the images, or steps of the sequences
 */
public record PackFilter(Window2d window, int groups, long height, long width) implements Op {
  private static final int COLUMNS = 16; // of the widest vector
  private static final Set<Long> WINOGRAD_TAPS = Set.of(3L, 5L); // of square filters

  /** The type of the packed form of a kernel. */
  public static TensorType typeOf(TensorType kernel, Window2d window, int groups) {
    long taps = kernel.extent(-3);
    long places = ConvTypes.taps(kernel) * taps;
    boolean plain =
        window.strideHeight() * window.strideWidth() == 1
            && window.dilationHeight() * window.dilationWidth() == 1;
    if (plain && groups == 1 && WINOGRAD_TAPS.contains(taps) && places == taps * taps) {
      places = (taps + 1) * (taps + 1); // of a filter that is transformed
    }
    long outputs = (kernel.extent(-1) / groups + COLUMNS - 1) / COLUMNS * COLUMNS;
    return TensorType.of(Math.multiplyExact(places * kernel.extent(-2), groups * outputs));
  }

  /** What packs the kernel of a convolution of x. */
  static PackFilter of(TensorType x, Window2d window, int groups) {
    return new PackFilter(window, groups, x.rank() == 4 ? x.extent(1) : 1, x.extent(-2));
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, groups, FusedActivation.NONE);
    a.ints(height, width, window.bottom(), window.right());
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType packed = in.get(0);
    requirePacked(packed, in.get(1), window, groups);
    return List.of();
  }

  /** What {@link #typeOf} says of a kernel. */
  static void requirePacked(TensorType packed, TensorType kernel, Window2d window, int groups) {
    TensorType type = typeOf(kernel, window, groups);
    if (!packed.equals(type)) {
      throw new ShapeException(
          "a kernel of " + kernel + " is packed into " + type + ", got " + packed);
    }
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
