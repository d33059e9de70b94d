package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Stores a kernel as int8 or int4, for {@link WeightOnlyLinear}. Inputs: packed [words, units
 * rounded up to {@value #COLUMNS}], a variable; kernel [in, units]; scales [groups, units]. No
 * outputs. A weight becomes the nearest multiple of its scale, 127 at most as int8 and 7 as int4;
 * NaN becomes 0.
 *
 * @param bits of a weight: 8 or 4
 * @param groupSize inputs that share a scale, a multiple of {@value #MULTIPLE}; 0: all
 */
public record PackWeightOnly(int bits, int groupSize) implements Op {
  /** What a group's size is a multiple of. */
  public static final int MULTIPLE = 8;

  private static final int COLUMNS = 16; // of the widest vector
  private static final int WORD = 32;

  /**
   * @throws ShapeException if there is no such format
   */
  public PackWeightOnly {
    requireFormat(bits, groupSize);
  }

  static void requireFormat(int bits, int groupSize) {
    if (bits != 8 && bits != 4) {
      throw new ShapeException("weights have 8 bits or 4, got " + bits);
    }
    if (groupSize < 0 || groupSize % MULTIPLE != 0) {
      throw new ShapeException(
          "a group's size must be a multiple of " + MULTIPLE + ", or 0, got " + groupSize);
    }
  }

  /** Scales of each output of a kernel with that many inputs. */
  public static long groups(long in, int groupSize) {
    return groupSize == 0 ? Math.min(in, 1) : in / groupSize + (in % groupSize == 0 ? 0 : 1);
  }

  /** The type of the packed form of a kernel [in, units]. */
  public static TensorType typeOf(long in, long units, int bits, int groupSize) {
    long steps = WORD / bits;
    long words = in / steps + (in % steps == 0 ? 0 : 1);
    return TensorType.of(words + groups(in, groupSize), (units + COLUMNS - 1) / COLUMNS * COLUMNS);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType kernel = PackWeights.requireKernel(in.get(1));
    long inputs = kernel.extent(0);
    long units = kernel.extent(1);
    requireSame("packed", typeOf(inputs, units, bits, groupSize), in.get(0));
    requireSame("scales", TensorType.of(groups(inputs, groupSize), units), in.get(2));
    return List.of();
  }

  private static void requireSame(String what, TensorType expected, TensorType got) {
    DynamicQuantizedLinear.requireSame(what, expected, got);
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(bits, groupSize);
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
