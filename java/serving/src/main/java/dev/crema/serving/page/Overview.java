package dev.crema.serving.page;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import dev.crema.memory.Buffer;
import dev.crema.nn.Model;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.monitoring.DriftReport;
import dev.crema.serving.monitoring.FeedbackReport;
import dev.crema.serving.monitoring.Monitoring;
import dev.crema.serving.monitoring.Traffic;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What the page shows, as JSON for it and for other programs. Numbers that there are none for are
 * null.
 */
final class Overview {
  private final Monitoring monitoring;

  Overview(Monitoring monitoring) {
    this.monitoring = Objects.requireNonNull(monitoring, "monitoring");
  }

  ObjectNode now() {
    ObjectNode json = Json.mapper().createObjectNode();
    Runtime runtime = Runtime.getRuntime();
    json.put("time", System.currentTimeMillis())
        .put("version", Model.VERSION)
        .put("uptimeSeconds", ManagementFactory.getRuntimeMXBean().getUptime() / 1000)
        .put("inFlight", monitoring.metrics().inFlight())
        .put("offHeapBytes", Buffer.allocatedBytes())
        .put("heapBytes", runtime.totalMemory() - runtime.freeMemory())
        .put("heapMaxBytes", runtime.maxMemory());
    ArrayNode models = json.putArray("models");
    Models served = monitoring.models();
    if (served != null) {
      served.names().forEach(name -> model(served, name, models.addObject()));
    }
    ObjectNode traffic = json.putObject("traffic");
    monitoring.traffic().seconds().forEach((name, all) -> seconds(all, traffic.putArray(name)));
    ArrayNode drift = json.putArray("drift");
    monitoring.drift().reports().forEach(report -> drift(report, drift.addObject()));
    ArrayNode feedback = json.putArray("feedback");
    monitoring.feedback().reports().forEach(report -> feedback(report, feedback.addObject()));
    ArrayNode errors = json.putArray("errors");
    for (Traffic.Failure failure : monitoring.traffic().failures()) {
      errors
          .addObject()
          .put("millis", failure.millis())
          .put("model", failure.model())
          .put("protocol", failure.protocol())
          .put("code", failure.code())
          .put("message", failure.message());
    }
    return json;
  }

  /** Trainings and their curves. */
  ObjectNode trainings() {
    ObjectNode json = Json.mapper().createObjectNode();
    ArrayNode all = json.putArray("trainings");
    monitoring.trainings().forEach(feed -> all.add(feed.toJson()));
    return json;
  }

  private static void model(Models models, String name, ObjectNode json) {
    json.put("name", name);
    ArrayNode versions = json.putArray("versions");
    try {
      for (VersionStatus status : models.versions(name)) {
        ObjectNode version = versions.addObject();
        version
            .put("version", status.version())
            .put("state", status.state().name())
            .put("error", status.error())
            .put("loadSeconds", status.loadTime().toNanos() / 1e9)
            .put("bytes", status.bytes());
        status.labels().forEach(version.putArray("labels")::add);
      }
      Signature signature = models.signature(ModelReference.of(name));
      ObjectNode described = json.putObject("signature");
      signature.inputs().forEach(specs(described.putArray("inputs")));
      signature.outputs().forEach(specs(described.putArray("outputs")));
      signature.labels().forEach(described.putArray("labels")::add);
      described.put("image", isImage(models, name));
      ArrayNode columns = described.putArray("columns");
      for (ColumnSpec column : signature.columns()) {
        ObjectNode c = columns.addObject();
        c.put("name", column.name()).put("kind", column.kind().name());
        column.categories().forEach(c.putArray("categories")::add);
      }
    } catch (ServingException e) {
      json.put("error", e.getMessage()); // none of its versions serves, or it has just gone
    }
  }

  /** Whether an example is numbers of one kind, such as pixels, that may be drawn. */
  private static boolean isImage(Models models, String name) {
    return models
        .metadata(ModelReference.of(name))
        .path("preprocessing")
        .path("kind")
        .asText()
        .equals("array");
  }

  private static Consumer<TensorSpec> specs(ArrayNode array) {
    return spec -> {
      ObjectNode json = array.addObject();
      json.put("name", spec.name()).put("type", spec.type().name());
      spec.shape().forEach(json.putArray("shape")::add);
    };
  }

  private static void seconds(List<Traffic.Second> all, ArrayNode array) {
    for (Traffic.Second second : all) {
      ArrayNode point = array.addArray().add(second.requests()).add(second.errors());
      point.add(number(second.p50())).add(number(second.p90())).add(number(second.p99()));
    }
  }

  private static void drift(DriftReport report, ObjectNode json) {
    json.put("model", report.model()).put("version", report.version());
    json.put("examples", report.examples()).put("features", report.features());
    json.put("drifted", report.drifted());
    json.put("greatestIndex", number(report.greatestIndex()));
    json.put("greatestDivergence", number(report.greatestDivergence()));
    ArrayNode top = json.putArray("top");
    for (DriftReport.Feature feature : report.top()) {
      top.addObject()
          .put("name", feature.name())
          .put("index", number(feature.index()))
          .put("divergence", number(feature.divergence()))
          .put("missing", number(feature.missing()))
          .put("outOfRange", number(feature.outOfRange()));
    }
    ArrayNode predictions = json.putArray("predictions");
    for (DriftReport.Prediction prediction : report.predictions()) {
      ObjectNode p = predictions.addObject().put("output", prediction.output());
      p.put("index", number(prediction.index()));
      p.put("divergence", number(prediction.divergence()));
      ArrayNode classes = p.putArray("classes");
      for (DriftReport.Share share : prediction.classes()) {
        classes
            .addObject()
            .put("name", share.name())
            .put("live", number(share.live()))
            .put("expected", number(share.expected()));
      }
    }
  }

  private static void feedback(FeedbackReport report, ObjectNode json) {
    json.put("model", report.model()).put("version", report.version());
    json.put("labels", report.labels());
    json.put("accuracy", number(report.accuracy()));
    json.put("precision", number(report.precision()));
    json.put("recall", number(report.recall()));
    json.put("f1", number(report.f1()));
    json.put("values", report.values());
    json.put("meanAbsoluteError", number(report.meanAbsoluteError()));
    json.put("rootMeanSquaredError", number(report.rootMeanSquaredError()));
  }

  /** Null if it is not finite: JSON has no NaN. */
  private static Double number(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
