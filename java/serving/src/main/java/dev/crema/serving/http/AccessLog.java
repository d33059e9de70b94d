package dev.crema.serving.http;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import dev.crema.serving.security.Principal;
import io.opentelemetry.api.trace.SpanContext;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A line of JSON for a request, to the logger {@code dev.crema.serving.access}: for a share of them
 * by chance, and for every one that failed by the server's fault.
 */
public final class AccessLog {
  private static final Logger LOG = LoggerFactory.getLogger("dev.crema.serving.access");

  private final double share;
  private final Consumer<String> lines;

  /**
   * @param share of requests, from 0 for no log at all to 1 for all
   */
  public AccessLog(double share) {
    this(share, line -> LOG.info("{}", line));
  }

  /**
   * @param lines gets each
   */
  AccessLog(double share, Consumer<String> lines) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "The share of requests in the access log is from 0 to 1, got " + share);
    }
    this.share = share;
    this.lines = Objects.requireNonNull(lines, "lines");
  }

  /** The service with this around it; the service itself if nothing is logged. */
  public HttpService around(HttpService service) {
    if (share == 0) {
      return service;
    }
    return new SimpleDecoratingHttpService(service) {
      @Override
      public HttpResponse serve(ServiceRequestContext ctx, HttpRequest request) throws Exception {
        ctx.log().whenComplete().thenAccept(log -> write(ctx, log));
        return ((HttpService) unwrap()).serve(ctx, request);
      }
    };
  }

  private void write(ServiceRequestContext ctx, RequestLog log) {
    int status = log.responseStatus().code();
    if (status < 500 && ThreadLocalRandom.current().nextDouble() >= share) {
      return;
    }
    JsonLine line =
        new JsonLine()
            .now()
            .add("remote", ctx.remoteAddress().getAddress().getHostAddress())
            .add("protocol", ctx.sessionProtocol().uriText())
            .add("method", ctx.method().name())
            .add("path", ctx.path())
            .add("status", status);
    String grpc = Tracing.grpcStatus(log);
    if (grpc != null) {
      line.add("grpc_status", grpc);
    }
    line.add("request_bytes", log.requestLength())
        .add("response_bytes", log.responseLength())
        .add("micros", log.totalDurationNanos() / 1000);
    Principal who = ctx.attr(Principal.OF_REQUEST);
    if (who != null) {
      line.add("principal", who.name());
    }
    SpanContext span = ctx.attr(Tracing.SPAN);
    if (span != null) {
      line.add("trace_id", span.getTraceId()).add("span_id", span.getSpanId());
    }
    String agent = log.requestHeaders().get(HttpHeaderNames.USER_AGENT);
    if (agent != null) {
      line.add("user_agent", agent);
    }
    lines.accept(line.toString());
  }
}
