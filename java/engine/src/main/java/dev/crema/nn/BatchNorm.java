package dev.crema.nn;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import java.util.List;

/**
 * Batch normalisation (Ioffe and Szegedy 2015) over all axes but the last: in training by the mean
 * and variance of the batch, in prediction by running ones. [n, ..., c] → [n, ..., c]. Parameters:
 * gamma [c], beta [c]; states: running_mean [c], running_variance [c].
 *
 * @param momentum weight of a new batch in the running mean and variance; null: 0.1, as PyTorch
 *     (Keras counts the other way round: its 0.99 is 0.01 here, which takes hundreds of steps to
 *     settle)
 * @param epsilon is added to the variance; null: 1e-5
 * @param scale whether there is gamma; null: true
 * @param center whether there is beta; null: true
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record BatchNorm(Double momentum, Double epsilon, Boolean scale, Boolean center)
    implements Layer {
  public BatchNorm {
    momentum = momentum == null ? 0.1 : momentum;
    epsilon = NormSettings.epsilon(epsilon);
    scale = scale == null ? Boolean.TRUE : scale;
    center = center == null ? Boolean.TRUE : center;
    if (!(momentum > 0 && momentum <= 1)) {
      throw new ShapeException("momentum must lie in (0, 1], got " + momentum);
    }
  }

  /** All defaults. */
  public BatchNorm() {
    this(null, null, null, null);
  }

  public BatchNorm withMomentum(double weight) {
    return new BatchNorm(weight, epsilon, scale, center);
  }

  public BatchNorm withEpsilon(double value) {
    return new BatchNorm(momentum, value, scale, center);
  }

  @Override
  public Node build(LayerContext context, List<Node> inputs) {
    Node x = NormSettings.features(context, inputs.get(0));
    long channels = x.type().extent(-1);
    Node gamma = NormSettings.gamma(context, scale, channels);
    Node beta = NormSettings.beta(context, center, channels);
    Node mean = context.state("running_mean", Initializer.ZEROS, channels);
    Node variance = context.state("running_variance", Initializer.ONES, channels);
    return context.training()
        ? x.then(new dev.crema.op.BatchNorm(epsilon, momentum), gamma, beta, mean, variance)
        : dev.crema.op.BatchNorm.inference(x, gamma, beta, mean, variance, epsilon);
  }
}
