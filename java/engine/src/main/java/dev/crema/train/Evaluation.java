package dev.crema.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.eval.ClassificationReport;
import dev.crema.eval.MultiLabelReport;
import dev.crema.eval.RegressionReport;
import dev.crema.io.Json;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/**
 * How a model does on a dataset: its loss, and the report that fits its task (the others are null).
 *
 * @param loss of several outputs the sum of theirs, each times its weight
 * @param outputs of several outputs each one's evaluation, in order, and no report here; else empty
 */
public record Evaluation(
    double loss,
    long examples,
    ClassificationReport classification,
    MultiLabelReport multiLabel,
    RegressionReport regression,
    Map<String, Evaluation> outputs) {
  public Evaluation {
    outputs = Collections.unmodifiableMap(new LinkedHashMap<>(outputs));
  }

  /** Of one output. */
  public Evaluation(
      double loss,
      long examples,
      ClassificationReport classification,
      MultiLabelReport multiLabel,
      RegressionReport regression) {
    this(loss, examples, classification, multiLabel, regression, Map.of());
  }

  /** Of several outputs. */
  public Evaluation(double loss, long examples, Map<String, Evaluation> outputs) {
    this(loss, examples, null, null, null, outputs);
  }

  /**
   * The one or two numbers that people look at first; of several outputs those of each and its
   * loss, by names such as {@code OUTPUT_accuracy}.
   */
  public Map<String, Double> mainMetrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    if (classification != null) {
      metrics.put(MetricNames.ACCURACY, classification.accuracy());
    } else if (multiLabel != null) {
      metrics.put(MetricNames.ACCURACY, multiLabel.labelAccuracy());
    } else if (regression != null) {
      metrics.put(MetricNames.MAE, regression.mae());
      metrics.put(MetricNames.R2, regression.r2());
    }
    outputs.forEach(
        (output, e) -> {
          metrics.put(MetricNames.of(output, MetricNames.LOSS), e.loss);
          e.mainMetrics().forEach((name, v) -> metrics.put(MetricNames.of(output, name), v));
        });
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
    if (!outputs.isEmpty()) {
      ObjectNode each = json.putObject("outputs");
      outputs.forEach((name, e) -> each.set(name, e.toJson()));
    }
    return json;
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "loss %.4f on %,d examples%n%s", loss, examples, report());
  }

  private String report() {
    if (outputs.isEmpty()) {
      Object report =
          classification != null ? classification : multiLabel != null ? multiLabel : regression;
      return String.valueOf(report);
    }
    StringJoiner all = new StringJoiner(System.lineSeparator());
    outputs.forEach((name, e) -> all.add("Output '" + name + "': " + e));
    return all.toString();
  }
}
