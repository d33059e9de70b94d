package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Stores a kernel without its zeros, for {@link SparseLinear}. Inputs: packed [words], a variable;
 * kernel [in, units] or [1, 1, in, units]. No outputs. What stands in the variable depends on the
 * instruction set and on how many examples share it. A kernel that has come to have more weights
 * than the variable has room for is not stored: {@link SparseLinear} then multiplies it as it is.
 *
 * @param examples that it is multiplied by at a time, at most; more than {@link #FEW} are all the
 *     same
 */
public record PackSparse(long examples) implements Op {
  /** Up to so many examples kernels may be stored otherwise than for more. */
  public static final int FEW = 4;

  private static final long HEADER = 48; // words, rounding included
  private static final int BATCH = 8; // weights of a column come in whole batches
  private static final long MOST_NARROW = 65535 / 4; // inputs whose indices take 16 bits
  private static final int LANES = 8;
  private static final int QUAD = 42; // words of four steps of 8 lanes; of 16 lanes 82
  private static final int MOST_PLACES = 4; // for a weight: with more idle it is not worth it
  private static final int SPARE = 8; // of so many weights, one more has room

  public PackSparse {
    examples = Math.min(examples, FEW + 1);
  }

  /**
   * The type of the packed form of a kernel with that many weights that are not 0, and some to
   * spare.
   */
  public TensorType typeOf(TensorType kernel, long nonZeros) {
    long in = kernel.dim(-2).constant();
    long units = kernel.dim(-1).constant();
    long weights = Math.min(in * units, nonZeros + nonZeros / SPARE + BATCH * (long) BATCH);
    long entries = weights + (BATCH - 1) * units;
    long places = (units + 3) / 4; // a byte for each column
    long columns =
        HEADER + units + places + entries + (in <= MOST_NARROW ? (entries + 1) / 2 : entries);
    long groups = (units + LANES - 1) / LANES;
    long quads = weights * MOST_PLACES / (4 * LANES) + groups;
    long windows = HEADER + groups + QUAD * quads;
    return TensorType.of(examples <= FEW ? Math.max(columns, windows) : columns);
  }

  static void requireKernel(TensorType kernel) {
    kernel.requireElement(ElementType.FLOAT32, "kernel");
    boolean matrix =
        kernel.rank() == 2
            || kernel.rank() == 4
                && kernel.elements(0, 2).isConstant()
                && kernel.elements(0, 2).constant() == 1;
    if (!matrix || !kernel.elements().isConstant()) {
      throw new ShapeException(
          "a sparse kernel is [in, units] or [1, 1, in, units] of a fixed size, got " + kernel);
    }
  }

  static void requirePacked(TensorType packed) {
    packed.requireElement(ElementType.FLOAT32, "packed").requireRank(1, "packed");
    if (!packed.elements().isConstant() || packed.elements().constant() < HEADER) {
      throw new ShapeException("packed must have " + HEADER + " words or more but is " + packed);
    }
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(examples, FEW);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    requirePacked(in.get(0));
    requireKernel(in.get(1));
    return List.of();
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
