package dev.crema.train;

import java.util.List;

/**
 * Settings for the parameters of some layers.
 *
 * @param layers by name
 * @param learningRateFactor what the learning rate is multiplied by for them
 * @param weightDecay replaces the optimiser's; NaN: the optimiser's own
 */
public record ParameterGroup(List<String> layers, double learningRateFactor, double weightDecay) {
  public ParameterGroup {
    layers = List.copyOf(layers);
    if (!(learningRateFactor >= 0) || Double.isInfinite(learningRateFactor)) {
      throw new IllegalArgumentException(
          "The learning-rate factor must be a finite number of at least 0, got "
              + learningRateFactor);
    }
    if (!Double.isNaN(weightDecay)) {
      Optimizer.Checks.weightDecay(weightDecay);
    }
  }

  /** Another learning rate for some layers. */
  public static ParameterGroup of(double learningRateFactor, String... layers) {
    return new ParameterGroup(List.of(layers), learningRateFactor, Double.NaN);
  }
}
