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
 * gradient. No outputs.
 */
public interface UpdateOp extends Op {
  /** How many moments it keeps of each parameter. */
  int moments();

  @Override
  default boolean mayLack(int input) {
    return input >= 3 + moments();
  }

  @Override
  default List<TensorType> infer(List<TensorType> in) {
    int inputs = 4 + moments(); // and perhaps a mask
    if (in.size() != inputs && in.size() != inputs + 1) {
      throw new ShapeException("needs " + inputs + " inputs and perhaps a mask, got " + in.size());
    }
    TensorType parameters = in.get(0).requireRank(1, "parameters");
    parameters.requireElement(ElementType.FLOAT32, "parameters");
    for (int i = 1; i < 2 + moments(); i++) {
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

  @Override
  default int[] writes() {
    int[] written = new int[1 + moments()];
    for (int i = 0; i < moments(); i++) {
      written[1 + i] = 2 + i;
    }
    return written;
  }
}
