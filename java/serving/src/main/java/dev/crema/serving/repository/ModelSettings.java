package dev.crema.serving.repository;

import dev.crema.serving.execution.BatchSettings;
import java.util.Map;
import java.util.Objects;

/**
 * How a model is served.
 *
 * @param policy which versions
 * @param labels label to version. A request that names neither version nor label is answered by the
 *     one labelled {@value #STABLE}, if there is that label, else by the newest available
 */
public record ModelSettings(
    VersionPolicy policy, Map<String, Long> labels, BatchSettings batching, TrafficSplit traffic) {
  public static final String STABLE = "stable";

  /** The newest version, no labels. */
  public static final ModelSettings DEFAULT =
      new ModelSettings(
          VersionPolicy.latest(1), Map.of(), BatchSettings.DEFAULT, TrafficSplit.NONE);

  /**
   * @throws IllegalArgumentException if a label is empty
   */
  public ModelSettings {
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(batching, "batching");
    Objects.requireNonNull(traffic, "traffic");
    labels = Map.copyOf(labels);
    if (labels.containsKey("")) {
      throw new IllegalArgumentException("A label has a name");
    }
  }

  public ModelSettings withPolicy(VersionPolicy other) {
    return new ModelSettings(other, labels, batching, traffic);
  }

  public ModelSettings withLabels(Map<String, Long> other) {
    return new ModelSettings(policy, other, batching, traffic);
  }

  public ModelSettings withBatching(BatchSettings other) {
    return new ModelSettings(policy, labels, other, traffic);
  }

  public ModelSettings withTraffic(TrafficSplit other) {
    return new ModelSettings(policy, labels, batching, other);
  }
}
