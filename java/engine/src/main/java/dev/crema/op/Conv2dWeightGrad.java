package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Conv2d} and {@link Conv1d} in their kernel and, as a second output, in their
 * bias: x, dy → dkernel, dbias.
 *
 * @param type that of the kernel
 * @param bias whether the bias's gradient is wanted
 */
public record Conv2dWeightGrad(Window2d window, int groups, TensorType type, boolean bias)
    implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return bias ? List.of(type, TensorType.of(type.extent(-1))) : List.of(type);
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, groups, FusedActivation.NONE);
  }
}
