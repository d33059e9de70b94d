package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import java.util.List;

/**
 * RMS normalisation (Zhang and Sennrich 2019): each vector of the last axis to mean square 1. [n,
 * ..., c] → [n, ..., c]. Parameters: gamma [c], beta [c].
 *
 * @param epsilon is added to the mean square; null: 1e-5
 * @param scale whether there is gamma; null: true
 * @param center whether there is beta; null: false
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RmsNorm(Double epsilon, Boolean scale, Boolean center) implements Layer {
  public RmsNorm {
    epsilon = NormSettings.epsilon(epsilon);
    scale = scale == null ? Boolean.TRUE : scale;
    center = center == null ? Boolean.FALSE : center;
  }

  /** All defaults. */
  public RmsNorm() {
    this(null, null, null);
  }

  public RmsNorm withEpsilon(double value) {
    return new RmsNorm(value, scale, center);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = NormSettings.features(context, inputs.get(0));
    long features = x.type().extent(-1);
    Node gamma = NormSettings.gamma(context, scale, features);
    Node beta = NormSettings.beta(context, center, features);
    return x.then(new dev.crema.op.RmsNorm(epsilon), gamma, beta);
  }
}
