package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link Conv2d} and {@link Conv1d} in their input: dy, kernel → dx.
 *
 * @param type that of the convolution's input; the elements of dx are of dy's type
 */
public record Conv2dInputGrad(Window2d window, int groups, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(type.withElement(in.get(0).requireFloating("gradient").element()));
  }

  @Override
  public void attributes(Attributes a) {
    ConvTypes.attributes(a, window, groups, FusedActivation.NONE);
  }
}
