package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link AveragePool2d}: dy → dx.
 *
 * @param type that of the pooling's input; the elements of dx are of dy's type
 */
public record AveragePool2dGrad(
    int height, int width, Window2d window, boolean countPadding, TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(type.withElement(in.get(0).requireFloating("gradient").element()));
  }

  @Override
  public void attributes(Attributes a) {
    PoolTypes.attributes(a, height, width, window, countPadding);
  }
}
