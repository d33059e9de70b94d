package dev.crema.serving.tracing;

import dev.crema.CremaException;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.spi.ConfigurationException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Sends spans to a collector: OpenTelemetry's SDK, set up by its own environment variables ({@code
 * OTEL_EXPORTER_OTLP_ENDPOINT}, {@code OTEL_TRACES_SAMPLER}, {@code OTEL_SERVICE_NAME} and the
 * others) and, where they say nothing, by {@link SpanSettings}. Spans go by OTLP over HTTP, a batch
 * of them every 5 seconds, from a thread of its own; while the collector does not answer they are
 * dropped, never waited for. Where no collector is named there is no SDK and no thread.
 *
 * <p>Thread-safe. The caller closes it, after the server.
 */
public final class Spans implements AutoCloseable {
  private static final String ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT";
  private static final String TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  private static final String PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL";
  private static final String TRACES_PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
  private static final String OVER_HTTP = "http/protobuf";
  private static final int LAST_SECONDS = 10; // for a collector that does not answer

  private final OpenTelemetrySdk sdk; // null: off

  private Spans(OpenTelemetrySdk sdk) {
    this.sdk = sdk;
  }

  /**
   * On if the settings or the environment name a collector and the environment does not turn it off
   * ({@code OTEL_SDK_DISABLED=true}, {@code OTEL_TRACES_EXPORTER=none}).
   *
   * @param environment {@link System#getenv()}
   * @throws CremaException if a setting can't be meant so: with its name
   */
  public static Spans of(SpanSettings settings, Map<String, String> environment) {
    if (!isOn(settings, environment)) {
      return new Spans(null);
    }
    for (String name : new String[] {TRACES_PROTOCOL, PROTOCOL}) {
      String protocol = environment.getOrDefault(name, OVER_HTTP);
      if (!protocol.isBlank() && !protocol.equals(OVER_HTTP)) {
        throw new CremaException(
            name
                + " is '"
                + protocol
                + "', but spans are sent by "
                + OVER_HTTP
                + " only: set it to that, and the endpoint to the collector's port for it (4318)");
      }
    }
    Map<String, String> properties = properties(settings, environment);
    try {
      return new Spans(
          AutoConfiguredOpenTelemetrySdk.builder()
              .addPropertiesSupplier(() -> properties)
              .disableShutdownHook() // the server's own comes first, then close()
              .setServiceClassLoader(Spans.class.getClassLoader())
              .build()
              .getOpenTelemetrySdk());
    } catch (ConfigurationException | IllegalArgumentException e) {
      throw new CremaException("Spans can't be sent: " + e.getMessage(), e);
    }
  }

  private static boolean isOn(SpanSettings settings, Map<String, String> environment) {
    boolean named =
        !settings.endpoint().isBlank()
            || !environment.getOrDefault(ENDPOINT, "").isBlank()
            || !environment.getOrDefault(TRACES_ENDPOINT, "").isBlank();
    return named
        && !environment.getOrDefault("OTEL_SDK_DISABLED", "").equalsIgnoreCase("true")
        && !environment.getOrDefault("OTEL_TRACES_EXPORTER", "").equals("none");
  }

  /** What the SDK goes by; its own look at the environment and at system properties comes first. */
  private static Map<String, String> properties(
      SpanSettings settings, Map<String, String> environment) {
    Map<String, String> properties = new HashMap<>();
    properties.put("otel.service.name", settings.serviceName());
    properties.put("otel.exporter.otlp.protocol", OVER_HTTP);
    properties.put("otel.metrics.exporter", "none"); // Prometheus comes for them
    properties.put("otel.logs.exporter", "none");
    if (!settings.endpoint().isBlank()) {
      properties.put("otel.exporter.otlp.endpoint", settings.endpoint());
    }
    if (settings.sample() < 1) {
      properties.put("otel.traces.sampler", "parentbased_traceidratio");
      properties.put("otel.traces.sampler.arg", Double.toString(settings.sample()));
    }
    environment.forEach(
        (name, value) -> {
          if (name.startsWith("OTEL_") && !value.isBlank()) {
            properties.put(name.toLowerCase(Locale.ROOT).replace('_', '.'), value);
          }
        });
    properties.putIfAbsent("otel.traces.exporter", "otlp");
    return properties;
  }

  /**
   * For {@link dev.crema.serving.ModelServer.Builder#telemetry}; does nothing where this is off.
   */
  public OpenTelemetry telemetry() {
    return sdk == null ? OpenTelemetry.noop() : sdk;
  }

  /** Whether there is a collector. */
  public boolean isOn() {
    return sdk != null;
  }

  /** Sends what has not been sent yet, and ends; takes no more than ten seconds. */
  @Override
  public void close() {
    if (sdk != null) {
      sdk.shutdown().join(LAST_SECONDS, TimeUnit.SECONDS);
    }
  }
}
