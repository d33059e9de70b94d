package dev.crema.serving.config;

import dev.crema.serving.Endpoint;
import dev.crema.serving.ServingListener;
import dev.crema.serving.monitoring.DriftMonitor;
import dev.crema.serving.monitoring.Feedback;
import dev.crema.serving.monitoring.FeedbackEndpoint;
import dev.crema.serving.monitoring.JvmMetrics;
import dev.crema.serving.monitoring.MetricsEndpoint;
import dev.crema.serving.monitoring.PrometheusMetrics;
import dev.crema.serving.monitoring.QualityMetrics;
import dev.crema.serving.monitoring.ServingMetrics;
import dev.crema.serving.repository.Models;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;

/** All that watches a server, as its settings say. */
final class Monitoring implements AutoCloseable {
  private final ServingListener listener;
  private final List<Endpoint> endpoints;
  private final PrometheusMeterRegistry registry = PrometheusMetrics.registry();
  private final JvmMetrics jvm = new JvmMetrics();

  Monitoring(Models models, ServerConfig.Monitor settings) {
    if (!settings.metrics()) {
      this.listener = new ServingListener() {};
      this.endpoints = List.of();
      return;
    }
    ServingMetrics serving = new ServingMetrics();
    DriftMonitor drift = new DriftMonitor(models, settings.drift());
    Feedback feedback =
        new Feedback(models, settings.remembered(), settings.feedback(), settings.feedback());
    QualityMetrics quality = new QualityMetrics(drift, feedback);
    serving.bindTo(registry);
    quality.bindTo(registry);
    jvm.bindTo(registry);
    this.listener = ServingListener.all(List.of(serving, drift, feedback));
    this.endpoints =
        List.of(new MetricsEndpoint(registry, quality::refresh), new FeedbackEndpoint(feedback));
  }

  /** Is to be told of all that is served. */
  ServingListener listener() {
    return listener;
  }

  List<Endpoint> endpoints() {
    return endpoints;
  }

  @Override
  public void close() {
    jvm.close();
    registry.close();
  }
}
