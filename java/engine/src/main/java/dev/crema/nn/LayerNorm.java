package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Layer normalisation (Ba et al. 2016): each vector of the last axis to mean 0 and variance 1. [n,
 * ..., c] → [n, ..., c]. Parameters: gamma [c], beta [c].
 *
 * @param epsilon is added to the variance; null: 1e-5
 * @param scale whether there is gamma; null: true
 * @param center whether there is beta; null: true
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record LayerNorm(Double epsilon, Boolean scale, Boolean center) implements Layer {
  public LayerNorm {
    epsilon = NormSettings.epsilon(epsilon);
    scale = scale == null ? Boolean.TRUE : scale;
    center = center == null ? Boolean.TRUE : center;
  }

  /** All defaults. */
  public LayerNorm() {
    this(null, null, null);
  }

  public LayerNorm withEpsilon(double value) {
    return new LayerNorm(value, scale, center);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = NormSettings.features(context, inputs.get(0));
    long features = x.type().extent(-1);
    Node gamma = NormSettings.gamma(context, scale, features);
    Node beta = NormSettings.beta(context, center, features);
    return x.then(new dev.crema.op.LayerNorm(epsilon), gamma, beta);
  }
}
