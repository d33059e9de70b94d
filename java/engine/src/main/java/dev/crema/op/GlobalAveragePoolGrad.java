package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link GlobalAveragePool}: dy → dx.
 *
 * @param type that of the pooling's input; the elements of dx are of dy's type
 */
public record GlobalAveragePoolGrad(TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(type.withElement(in.get(0).requireFloating("gradient").element()));
  }
}
