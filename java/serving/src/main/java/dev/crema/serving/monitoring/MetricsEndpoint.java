package dev.crema.serving.monitoring;

import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.Endpoint;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;

/**
 * {@code GET /metrics} for Prometheus: OpenMetrics 1.0 with exemplars to those who prefer it by
 * their {@code Accept} header, as Prometheus does, else the text format 0.0.4.
 */
public final class MetricsEndpoint implements Endpoint {
  private static final MediaType OPEN_METRICS =
      MediaType.parse("application/openmetrics-text; version=1.0.0; charset=utf-8");
  private static final MediaType TEXT = MediaType.parse("text/plain; version=0.0.4; charset=utf-8");

  private final PrometheusMeterRegistry registry;
  private final Runnable before;

  /**
   * @param before called before each scrape: brings gauges up to date
   */
  public MetricsEndpoint(PrometheusMeterRegistry registry, Runnable before) {
    this.registry = Objects.requireNonNull(registry, "registry");
    this.before = Objects.requireNonNull(before, "before");
  }

  @Override
  public void addTo(ServerBuilder server) {
    server.route().get("/metrics").build(this::serve);
  }

  private HttpResponse serve(ServiceRequestContext context, HttpRequest request) {
    MediaType type = preferred(request.headers());
    return HttpResponse.of(
        () -> {
          before.run();
          return HttpResponse.of(
              ResponseHeaders.builder(HttpStatus.OK)
                  .contentType(type)
                  .set(HttpHeaderNames.CACHE_CONTROL, "no-store")
                  .build(),
              HttpData.wrap(scrape(type)));
        },
        context.blockingTaskExecutor());
  }

  private byte[] scrape(MediaType type) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
    try {
      registry.scrape(out, type.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // not of memory
    }
    return out.toByteArray();
  }

  /** Of the two the first that the client would have, best first. */
  private static MediaType preferred(RequestHeaders headers) {
    for (MediaType accepted : headers.accept()) {
      if (accepted.is(MediaType.create("application", "openmetrics-text"))) {
        return OPEN_METRICS;
      }
      if (accepted.is(MediaType.create("text", "plain"))) {
        return TEXT;
      }
    }
    return TEXT;
  }
}
