package dev.crema.serving.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.VersionStatus.State;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServingMetricsTest {
  private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0";

  private final PrometheusMeterRegistry registry = PrometheusMetrics.registry();
  private final ServingMetrics metrics = new ServingMetrics();

  @BeforeEach
  void bind() {
    metrics.bindTo(registry);
    metrics.changed(Events.available("digits", 3));
  }

  @AfterEach
  void close() {
    registry.close();
  }

  private void answer(String model, long version, long nanos) {
    var request = Events.request(model, new float[] {1});
    var response = Events.response(model, version, new float[] {1});
    metrics.received(request);
    metrics.computed(model, version, 1, 1, 30_000);
    metrics.answered(request, response, nanos);
    metrics.serialised(request, response, 4_000);
  }

  private double value(String name, String... tags) {
    return registry.get(name).tags(tags).meters().stream()
        .mapToDouble(m -> m.measure().iterator().next().getValue())
        .sum();
  }

  @Test
  void requestsAreCountedByModelVersionProtocolAndCode() {
    answer("digits", 3, 40_000);
    answer("digits", 3, 60_000);
    var request = Events.request("digits", new float[] {1});
    metrics.received(request);
    metrics.refused(
        request, new ServingException(ServingException.Code.RESOURCE_EXHAUSTED, "full"), 1);
    String[] series = {"model", "digits", "protocol", "tfs-rest"};
    assertThat(value("crema.requests", with(series, "version", "3", "code", "OK"))).isEqualTo(2);
    assertThat(
            value("crema.requests", with(series, "version", "none", "code", "RESOURCE_EXHAUSTED")))
        .isEqualTo(1);
    assertThat(registry.get("crema.request.duration").tags(with(series, "version", "3")).timer())
        .satisfies(
            t -> {
              assertThat(t.count()).isEqualTo(2);
              assertThat(t.totalTime(java.util.concurrent.TimeUnit.NANOSECONDS)).isEqualTo(100_000);
            });
    assertThat(value("crema.requests.in.flight")).isZero();
  }

  private static String[] with(String[] some, String... more) {
    return java.util.stream.Stream.of(some, more)
        .flatMap(java.util.Arrays::stream)
        .toArray(String[]::new);
  }

  @Test
  void aRefusedRequestForAVersionThatThereIsCountsThere() {
    var request = Events.request("", ModelReference.version("digits", 3), new float[] {1});
    metrics.refused(request, ServingException.invalidArgument("shape"), 1);
    assertThat(value("crema.requests", "version", "3", "code", "INVALID_ARGUMENT")).isEqualTo(1);
  }

  @Test
  void namesThatClientsInventMakeNoSeries() {
    answer("digits", 3, 40_000);
    metrics.malformed("tfs-rest", "first", ServingException.notFound("no"));
    int before = registry.getMeters().size();
    for (int i = 0; i < 1000; i++) {
      var request = Events.request("", ModelReference.version("invented-" + i, i), new float[] {1});
      metrics.received(request);
      metrics.refused(request, ServingException.notFound("no such model"), 1);
      metrics.malformed("tfs-rest", "other-" + i, ServingException.notFound("no"));
      metrics.refused(
          Events.request("", ModelReference.version("digits", 1_000 + i), new float[] {1}),
          ServingException.notFound("no such version"),
          1);
    }
    // Those of digits without a version are new: a timer and two counters.
    assertThat(registry.getMeters()).hasSize(before + 3);
    assertThat(value("crema.requests", "model", "unknown", "code", "NOT_FOUND")).isEqualTo(2001);
  }

  @Test
  void atMostSixteenProtocolsAreTold() {
    for (int i = 0; i < 100; i++) {
      metrics.malformed("protocol-" + i, "digits", ServingException.invalidArgument("no"));
    }
    assertThat(registry.get("crema.request.duration").tag("model", "digits").timers()).hasSize(16);
    assertThat(value("crema.requests", "protocol", "other", "code", "INVALID_ARGUMENT"))
        .isEqualTo(85);
  }

  @Test
  void reloadsLeaveNoSeriesBehind() {
    int most = 0;
    for (int version = 4; version < 54; version++) {
      metrics.changed(Events.status("digits", version, State.LOADING, ""));
      metrics.changed(Events.available("digits", version));
      answer("digits", version, 40_000);
      metrics.changed(Events.status("digits", version - 1, State.END, ""));
      if (version == 10) {
        most = registry.getMeters().size();
      }
    }
    assertThat(registry.getMeters()).hasSize(most);
    assertThat(registry.find("crema.requests").tag("version", "20").counters()).isEmpty();
    assertThat(value("crema.model.loads", "result", "success")).isEqualTo(51);
    assertThat(value("crema.model.state", "version", "53", "state", "available")).isEqualTo(1);
    assertThat(value("crema.model.state", "version", "52", "state", "end")).isEqualTo(1);
  }

  @Test
  void aFailedLoadIsCountedOnceAndShown() {
    metrics.changed(Events.status("digits", 4, State.LOADING, ""));
    metrics.changed(Events.status("digits", 4, State.END, "sum differs"));
    metrics.changed(Events.status("digits", 4, State.END, "sum differs"));
    assertThat(value("crema.model.loads", "result", "failure")).isEqualTo(1);
    assertThat(value("crema.model.failed", "version", "4")).isEqualTo(1);
    assertThat(value("crema.model.failed", "version", "3")).isZero();
  }

  @Test
  void versionsToldOfBeforeBindingAreKnown() {
    ServingMetrics late = new ServingMetrics();
    SimpleMeterRegistry other = new SimpleMeterRegistry();
    late.changed(Events.status("m", 1, State.LOADING, ""));
    late.changed(Events.available("m", 1));
    late.answered(Events.request("m"), Events.response("m", 1), 1);
    late.bindTo(other);
    assertThat(other.get("crema.model.state").tags("state", "available").gauge().value())
        .isEqualTo(1);
    assertThatIllegalStateException().isThrownBy(() -> late.bindTo(other));
  }

  @Test
  void exemplarsNameTheTraceOfASampledSpan() {
    String trace = "0af7651916cd43dd8448eb211c80319c";
    Span span =
        Span.wrap(
            SpanContext.create(
                trace, "b7ad6b7169203331", TraceFlags.getSampled(), TraceState.getDefault()));
    try (Scope scope = span.makeCurrent()) {
      assertThat(scope).isNotNull();
      answer("digits", 3, 40_000);
    }
    assertThat(registry.scrape(OPEN_METRICS).lines())
        .anyMatch(
            l ->
                l.startsWith("crema_request_duration_seconds_bucket")
                    && l.contains("trace_id=\"" + trace + '"'));
  }

  @Test
  void prometheusFindsNothingToComplainOf(@TempDir Path folder) throws Exception {
    Promtool.assumeInstalled("promtool");
    answer("digits", 3, 40_000);
    metrics.changed(Events.status("digits", 4, State.END, "sum differs"));
    new DeviceMetrics(List.of(new FixedUse())).bindTo(registry);
    try (JvmMetrics jvm = new JvmMetrics()) {
      jvm.bindTo(registry);
      Path file = Files.writeString(folder.resolve("metrics.txt"), registry.scrape());
      assertThat(Files.readString(file))
          .contains("crema_device_memory_used_bytes{device=\"cuda:0\"}");
      assertThat(Promtool.run(file, "check", "metrics")).isEmpty();
    }
  }
}
