package dev.crema.op;

import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import java.util.List;

/** Gradient of {@link LayerNorm}: (x, gamma?, mean, 1 / deviation, dy) to (dx, dgamma, dbeta). */
public record LayerNormGrad() implements Op {
  @Override
  public boolean mayLack(int input) {
    return input == 1;
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    TensorType x = in.get(0);
    TensorType features = NormTypes.perFeature(x);
    return List.of(x, features, features);
  }
}
