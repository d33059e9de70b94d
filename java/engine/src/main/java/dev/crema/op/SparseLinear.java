package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * activation(x · kernel + bias) for a kernel that is mostly zero, for predictions. Inputs: x [...,
 * in], packed by {@link PackSparse}, kernel [in, units] or [1, 1, in, units], bias [units]
 * (optional); output [..., units].
 *
 * <p>A weight of 0 or -0 is absent: it adds nothing, also where x is infinite or NaN, for which
 * {@link Linear} gives NaN. (A kernel that has outgrown its packed form is multiplied as {@link
 * Linear} does.) Sums are of another order than those of {@link Linear}, and the same for every
 * number of threads.
 */
public record SparseLinear(FusedActivation activation) implements Op {
  @Override
  public boolean mayLack(int input) {
    return input == 3;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0).requireElement(ElementType.FLOAT32, "input");
    TensorType kernel = in.get(2);
    PackSparse.requirePacked(in.get(1));
    PackSparse.requireKernel(kernel);
    if (x.rank() < 2 || !x.dim(-1).equals(kernel.dim(-2))) {
      throw new ShapeException(
          "expects [n, ..., " + kernel.dim(-2) + "] for a kernel of " + kernel + ", got " + x);
    }
    TensorType bias = in.size() > 3 ? in.get(3) : null;
    if (bias != null && !bias.equals(kernel.withDims(List.of(kernel.dim(-1))))) {
      throw new ShapeException("a bias of [" + kernel.dim(-1) + "] is needed, got " + bias);
    }
    return List.of(x.withDim(-1, kernel.dim(-1)));
  }

  @Override
  public void attributes(Attributes a) {
    a.ints(activation.id());
  }
}
