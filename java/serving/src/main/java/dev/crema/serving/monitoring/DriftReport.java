package dev.crema.serving.monitoring;

import java.util.List;

/**
 * How the inputs and predictions of a version in the sliding window differ from those of its
 * training. Figures are NaN where too few examples were seen to say anything.
 *
 * @param examples looked at in the window
 * @param features that were compared
 * @param drifted how many of them have an index above {@link #GREAT}
 * @param top the features that drifted most, the most first
 */
public record DriftReport(
    String model,
    long version,
    long examples,
    int features,
    int drifted,
    double greatestIndex,
    double greatestDivergence,
    List<Feature> top,
    List<Prediction> predictions) {
  /** Population stability index from which a change is usually called great. */
  public static final double GREAT = 0.25;

  public DriftReport {
    top = List.copyOf(top);
    predictions = List.copyOf(predictions);
  }

  /**
   * A feature.
   *
   * @param index population stability index
   * @param divergence Jensen-Shannon, in bits
   * @param missing part of the values, from 0 to 1
   * @param outOfRange part of the values that lie outside what training saw
   */
  public record Feature(
      String name, double index, double divergence, double missing, double outOfRange) {}

  /**
   * An output.
   *
   * @param classes of an output that tells classes: how often each is told
   */
  public record Prediction(String output, double index, double divergence, List<Share> classes) {
    public Prediction {
      classes = List.copyOf(classes);
    }
  }

  /**
   * How often a class is predicted, as parts from 0 to 1.
   *
   * @param expected of the training data
   */
  public record Share(String name, double live, double expected) {}
}
