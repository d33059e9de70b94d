package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Changes parameters by their gradients, in place. Inputs: parameters [p], gradients [p], the
 * moments [p] each, hyper [4] (learning rate, step t from 1, 1 − β₁ᵗ, 1 − β₂ᵗ), and a scalar that
 * gradients are multiplied by (optional; NaN: nothing changes), and a mask [p] (optional, may be
 * left out): where it is 0 the parameter is pruned, so it and its moments become 0 whatever its
 * gradient. Instead of gradients, an element-wise update on the CPU takes the factors whose product
 * xᵀ d they are, behind the mask: x [n, rows], d [n, columns]. No outputs.
 */
public interface UpdateOp extends Op {
  /** How many moments it keeps of each parameter. */
  int moments();

  /** Whether every parameter changes by its own gradient alone. */
  default boolean isElementwise() {
    return true;
  }

  @Override
  default boolean mayLack(int input) {
    return input == 1 || input >= 3 + moments();
  }

  @Override
  default List<TensorType> infer(List<TensorType> in) {
    int inputs = 4 + moments(); // and perhaps a mask
    boolean product = isElementwise() && in.size() == inputs + 3;
    if (in.size() != inputs && in.size() != inputs + 1 && !product) {
      throw new ShapeException("needs " + inputs + " inputs and perhaps a mask, got " + in.size());
    }
    TensorType parameters = in.get(0).requireRank(1, "parameters");
    parameters.requireElement(ElementType.FLOAT32, "parameters");
    if (product) {
      requireProduct(parameters, in.get(inputs + 1), in.get(inputs + 2));
    }
    if (product != (in.get(1) == null)) {
      throw new ShapeException("needs gradients or the factors of their product");
    }
    for (int i = product ? 2 : 1; i < 2 + moments(); i++) {
      if (!in.get(i).equals(parameters)) {
        throw new ShapeException(
            "parameters are " + parameters + " but input " + i + " is " + in.get(i));
      }
    }
    if (!in.get(2 + moments()).equals(TensorType.of(4))) {
      throw new ShapeException("hyper must be [4] but is " + in.get(2 + moments()));
    }
    TensorType scale = in.get(3 + moments());
    if (scale != null && !scale.equals(TensorType.of())) {
      throw new ShapeException("the gradients' scale must be a scalar but is " + scale);
    }
    TensorType mask = in.size() > inputs ? in.get(inputs) : null;
    if (mask != null && !mask.equals(parameters)) {
      throw new ShapeException("parameters are " + parameters + " but their mask is " + mask);
    }
    return List.of();
  }

  private static void requireProduct(TensorType parameters, TensorType x, TensorType d) {
    if (x == null || d == null) {
      throw new ShapeException("needs both factors of the gradients' product");
    }
    x.requireRank(2, "x").requireElement(ElementType.FLOAT32, "x");
    d.requireRank(2, "d").requireElement(ElementType.FLOAT32, "d");
    if (!x.dim(0).equals(d.dim(0)) || x.extent(1) * d.extent(1) != parameters.extent(0)) {
      throw new ShapeException(
          "parameters are "
              + parameters
              + " but their gradients "
              + x
              + " (transposed) times "
              + d);
    }
  }

  @Override
  default int[] writes() {
    int[] written = new int[1 + moments()];
    for (int i = 0; i < moments(); i++) {
      written[1 + i] = 2 + i;
    }
    return written;
  }
}
