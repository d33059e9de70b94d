package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** Gradient of {@link MaxPool2d}: x, y, dy → dx. */
public record MaxPool2dGrad(int height, int width, Window2d window) implements Op {
  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(in.get(0));
  }

  @Override
  public void attributes(Attributes a) {
    PoolTypes.attributes(a, height, width, window, false);
  }
}
