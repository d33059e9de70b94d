package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Gradient of {@link Conv2d} and {@link Conv1d} in their kernel and, as a second output, in their
 * bias: x, dy → dkernel, dbias.
 *
 * @param type that of the kernel; the elements of dkernel are of the type of x and dy, those of
 *     dbias float32
 * @param bias whether the bias's gradient is wanted
 */
public record Conv2dWeightGrad(Window2d window, int groups, TensorType type, boolean bias)
    implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    ElementType element = in.get(0).requireFloating("input").element();
    in.get(1).requireElement(element, "gradient");
    TensorType kernel = type.withElement(element);
    return bias ? List.of(kernel, TensorType.of(type.extent(-1))) : List.of(kernel);
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, groups, FusedActivation.NONE);
  }
}
