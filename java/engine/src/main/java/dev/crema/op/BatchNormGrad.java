package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** Gradient of {@link BatchNorm}: (x, gamma?, mean, 1 / deviation, dy) to (dx, dgamma, dbeta). */
public record BatchNormGrad() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input == 1;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return List.of(in.get(0), in.get(2), in.get(2));
  }
}
