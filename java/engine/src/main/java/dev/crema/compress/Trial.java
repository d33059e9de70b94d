package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import java.util.Locale;

/**
 * A form of a model that a {@link Compression} tried, the original first of all.
 *
 * @param name how it was made, such as {@code 90 % unstructured, int8 (entropy)}
 * @param figures on the examples that the choice is made by; null if it could not be made. Its
 *     latencies are the original's times the ratio of both in the rounds that measured them
 *     together, so that those of all trials can be compared
 * @param outcome what became of it
 * @param reason of the outcome, for people
 */
public record Trial(String name, Figures figures, Outcome outcome, String reason) {
  /** What became of a form. */
  public enum Outcome {
    /** The model as it was given. */
    ORIGINAL,
    /** The best of those that passed. */
    KEPT,
    /** Accurate enough and better than the original, but another is kept. */
    PASSED,
    /** Not accurate enough, or no better than the original. */
    REFUSED,
    /** The model, or the data, does not allow it. */
    IMPOSSIBLE
  }

  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("name", name).put("outcome", outcome.name().toLowerCase(Locale.ROOT));
    json.put("reason", reason);
    if (figures != null) {
      ObjectNode all = figures.toJson();
      all.remove("name");
      all.remove("evaluation");
      json.put("loss", figures.evaluation().loss());
      json.setAll(all);
    }
    return json;
  }
}
