package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/**
 * Gradient of {@link TopK}: (positions [.., k], dy [.., k]) to [.., c], zero where nothing was
 * taken.
 *
 * @param type of the result
 */
public record TopKGrad(TensorType type) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(type);
  }
}
