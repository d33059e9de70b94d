package dev.crema.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.eval.ClassificationReport;
import dev.crema.eval.MultiLabelReport;
import dev.crema.eval.RegressionReport;
import dev.crema.io.Json;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How a model does on a dataset: its loss, and the report that fits its task (the others are null).
 */
public record Evaluation(
    double loss,
    long examples,
    ClassificationReport classification,
    MultiLabelReport multiLabel,
    RegressionReport regression) {
  /** The one or two numbers that people look at first. */
  public Map<String, Double> mainMetrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    if (classification != null) {
      metrics.put("accuracy", classification.accuracy());
    } else if (multiLabel != null) {
      metrics.put("accuracy", multiLabel.labelAccuracy());
    } else if (regression != null) {
      metrics.put("mae", regression.mae());
      metrics.put("r2", regression.r2());
    }
    return metrics;
  }

  public ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("loss", loss).put("examples", examples);
    if (classification != null) {
      json.set("classification", classification.toJson());
    }
    if (multiLabel != null) {
      json.set("multi_label", multiLabel.toJson());
    }
    if (regression != null) {
      json.set("regression", regression.toJson());
    }
    return json;
  }

  @Override
  public String toString() {
    Object report =
        classification != null ? classification : multiLabel != null ? multiLabel : regression;
    return String.format(Locale.ROOT, "loss %.4f on %,d examples%n%s", loss, examples, report);
  }
}
