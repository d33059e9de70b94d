package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** Gradient of {@link GlobalMaxPool}: x, y, dy → dx. */
public record GlobalMaxPoolGrad() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(in.get(0));
  }
}
