package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import java.util.List;

/**
 * Group normalisation (Wu and He 2018): each example over all its positions and the channels of one
 * group. [n, ..., c] → [n, ..., c]. Parameters: gamma [c], beta [c].
 *
 * @param groups a divisor of c; null: 32, as in the paper
 * @param epsilon is added to the variance; null: 1e-5
 * @param scale whether there is gamma; null: true
 * @param center whether there is beta; null: true
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record GroupNorm(Integer groups, Double epsilon, Boolean scale, Boolean center)
    implements Layer {
  public GroupNorm {
    groups = groups == null ? 32 : groups;
    ConvSettings.requirePositive("groups", groups);
    epsilon = NormSettings.epsilon(epsilon);
    scale = scale == null ? Boolean.TRUE : scale;
    center = center == null ? Boolean.TRUE : center;
  }

  public static GroupNorm of(int groups) {
    return new GroupNorm(groups, null, null, null);
  }

  public GroupNorm withEpsilon(double value) {
    return new GroupNorm(groups, value, scale, center);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = NormSettings.features(context, inputs.get(0));
    long channels = x.type().extent(-1);
    if (channels % groups != 0) {
      throw context.refuse(
          "channels that divide into " + groups + " groups",
          x,
          "Choose groups that divide " + channels + ".");
    }
    Node gamma = NormSettings.gamma(context, scale, channels);
    Node beta = NormSettings.beta(context, center, channels);
    return dev.crema.op.GroupNorm.of(x, gamma, beta, groups, epsilon);
  }
}
