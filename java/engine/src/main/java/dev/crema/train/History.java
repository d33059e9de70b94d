package dev.crema.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What each epoch of a training gave. Saved with the model. */
public final class History {
  /**
   * One epoch.
   *
   * @param epoch from 1
   * @param metrics by name: {@code loss}, {@code accuracy}, {@code val_loss}, {@code learning_rate}
   *     …
   */
  public record Epoch(int epoch, double seconds, Map<String, Double> metrics) {
    public Epoch {
      metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }

    /** A metric, or NaN if this epoch has none of that name. */
    public double metric(String name) {
      return metrics.getOrDefault(name, Double.NaN);
    }

    /** A metric that something watches. */
    double require(String name, String watcher) {
      Double value = metrics.get(name);
      if (value == null) {
        throw new IllegalStateException(
            watcher
                + " watches '"
                + name
                + "' but the epoch has "
                + metrics.keySet()
                + ". Give the training a validation set, or watch another metric.");
      }
      return value;
    }
  }

  private final List<Epoch> epochs = new ArrayList<>();

  void add(Epoch epoch) {
    epochs.add(epoch);
  }

  public List<Epoch> epochs() {
    return Collections.unmodifiableList(epochs);
  }

  /** The last epoch. */
  public Epoch last() {
    if (epochs.isEmpty()) {
      throw new IllegalStateException("No epoch has ended yet");
    }
    return epochs.get(epochs.size() - 1);
  }

  /** A metric over the epochs; NaN where an epoch lacks it. */
  public double[] series(String metric) {
    return epochs.stream().mapToDouble(e -> e.metric(metric)).toArray();
  }

  public ArrayNode toJson() {
    ArrayNode array = Json.mapper().createArrayNode();
    for (Epoch e : epochs) {
      ObjectNode o = array.addObject().put("epoch", e.epoch()).put("seconds", e.seconds());
      e.metrics().forEach(o::put);
    }
    return array;
  }

  /** Reads what {@link #toJson} wrote. */
  public static History fromJson(JsonNode array) {
    History history = new History();
    for (JsonNode o : array) {
      Map<String, Double> metrics = new LinkedHashMap<>();
      o.properties().stream()
          .filter(p -> !p.getKey().equals("epoch") && !p.getKey().equals("seconds"))
          .forEach(p -> metrics.put(p.getKey(), number(p.getValue())));
      history.add(new Epoch(o.path("epoch").asInt(), number(o.path("seconds")), metrics));
    }
    return history;
  }

  // A number that is not finite stands as text.
  private static double number(JsonNode value) {
    return value.isTextual() ? Double.parseDouble(value.asText()) : value.asDouble();
  }
}
