package dev.crema.op;

import dev.crema.graph.Attributes;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.TensorType;
import java.util.List;
import java.util.Objects;

/**
 * Gradient of {@link Attention}, with its attributes. Inputs: its q, k and v, its outputs y and the
 * logarithms of the sums, and dy. Outputs: dq, dk, dv. With P = exp(scale · q · kᵀ − log sum) and S
 * = P ⊙ (dy · vᵀ − Σ dy ⊙ y): dq = scale · S · k, dk = scale · Sᵀ · q, dv = Pᵀ · dy.
 */
public record AttentionGrad(boolean causal, double scale, Precision precision, boolean headsInside)
    implements Op {
  public AttentionGrad {
    Attention.requireScale(scale);
    Objects.requireNonNull(precision, "precision");
  }

  /** The same gradient whose products read their factors in another precision. */
  public AttentionGrad withPrecision(Precision other) {
    return new AttentionGrad(causal, scale, other, headsInside);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return in.subList(0, 3);
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(causal).bool(precision == Precision.BFLOAT16).bool(headsInside);
    a.floats(scale);
  }
}
