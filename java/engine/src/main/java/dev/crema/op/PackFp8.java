package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Stores a kernel as {@link Fp8}, for {@link Fp8Linear}. Inputs: packed [words + 1, units rounded
 * up to 16], a variable; kernel [in, units]; scales [units]. No outputs. A weight becomes the
 * number nearest to its quotient by its output's scale, 448 at most; NaN stays NaN.
 */
public record PackFp8() implements Op {
  private static final int BITS = 8;

  /**
   * The type of the packed form of a kernel [in, units].
   *
   * @throws ShapeException if there are no inputs
   */
  public static TensorType typeOf(long in, long units) {
    if (in < 1) {
      throw new ShapeException("a layer of fp8 needs one input at least, got " + in);
    }
    return PackWeightOnly.typeOf(in, units, BITS, 0);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType kernel = PackWeights.requireKernel(in.get(1));
    TensorType packed = typeOf(kernel.extent(0), kernel.extent(1));
    DynamicQuantizedLinear.requireSame("packed", packed, in.get(0));
    DynamicQuantizedLinear.requireSame("scales", TensorType.of(kernel.extent(1)), in.get(2));
    return List.of();
  }

  @Override
  public int[] writes() {
    return new int[] {0};
  }
}
