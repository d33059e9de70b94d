package dev.crema.serving.monitoring;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/** Makes registries for Prometheus. */
public final class PrometheusMetrics {
  private PrometheusMetrics() {}

  /**
   * An empty one, whose histograms and counters take exemplars: the trace and span of
   * OpenTelemetry's current span, where that is sampled. The caller closes it.
   */
  public static PrometheusMeterRegistry registry() {
    PrometheusMeterRegistry registry =
        new PrometheusMeterRegistry(
            PrometheusConfig.DEFAULT, new PrometheusRegistry(), Clock.SYSTEM, new CurrentSpan());
    // Names that are not after Prometheus's conventions: promtool check metrics complains of them.
    registry
        .config()
        .meterFilter(MeterFilter.denyNameStartsWith("process.cpu.time"))
        .meterFilter(renamed("system.cpu.count", "system.cpus"));
    return registry;
  }

  private static MeterFilter renamed(String from, String to) {
    return new MeterFilter() {
      @Override
      public Meter.Id map(Meter.Id id) {
        return id.getName().equals(from) ? id.withName(to) : id;
      }
    };
  }

  private static final class CurrentSpan
      implements io.prometheus.metrics.tracer.common.SpanContext {
    private static SpanContext current() {
      return Span.current().getSpanContext();
    }

    @Override
    public String getCurrentTraceId() {
      SpanContext span = current();
      return span.isValid() ? span.getTraceId() : null;
    }

    @Override
    public String getCurrentSpanId() {
      SpanContext span = current();
      return span.isValid() ? span.getSpanId() : null;
    }

    @Override
    public boolean isCurrentSpanSampled() {
      return current().isSampled();
    }

    @Override
    public void markCurrentSpanAsExemplar() {
      Span.current().setAttribute(EXEMPLAR_ATTRIBUTE_NAME, EXEMPLAR_ATTRIBUTE_VALUE);
    }
  }
}
