package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.List;

/** Gradient of {@link Softmax}: (y, dy) to dx. */
public record SoftmaxGrad() implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    if (!in.get(0).equals(in.get(1))) {
      throw new ShapeException("y is " + in.get(0) + " but dy is " + in.get(1));
    }
    return List.of(in.get(0));
  }
}
