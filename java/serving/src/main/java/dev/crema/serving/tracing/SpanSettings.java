package dev.crema.serving.tracing;

import java.util.Objects;

/**
 * Where spans go, as {@code server.yaml} says it. OpenTelemetry's own environment variables come
 * before it.
 *
 * @param endpoint of a collector that takes OTLP over HTTP, as {@code http://localhost:4318}; ""
 *     for none
 * @param sample the share of traces begun here that are recorded, from 0 to 1; what is part of a
 *     caller's trace is recorded if the caller records it
 * @param serviceName what the spans are said to be of
 */
public record SpanSettings(String endpoint, double sample, String serviceName) {
  /** No collector, every trace, {@code crema}. */
  public static final SpanSettings DEFAULT = new SpanSettings("", 1, "crema");

  public SpanSettings {
    Objects.requireNonNull(endpoint, "endpoint");
    Objects.requireNonNull(serviceName, "serviceName");
    if (!(sample >= 0 && sample <= 1)) {
      throw new IllegalArgumentException("The share of traces is from 0 to 1, got " + sample);
    }
  }
}
