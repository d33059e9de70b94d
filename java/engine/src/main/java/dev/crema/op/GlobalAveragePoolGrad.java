package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link GlobalAveragePool}: dy → dx.
 *
 * @param type that of the pooling's input
 */
public record GlobalAveragePoolGrad(TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(type);
  }
}
