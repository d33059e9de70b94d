package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** Gradient of {@link LogSoftmax}: (y, dy) to dy − eʸ Σ dy. */
public record LogSoftmaxGrad() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(in.get(0));
  }

  @Override
  public boolean inPlace() {
    return true;
  }
}
