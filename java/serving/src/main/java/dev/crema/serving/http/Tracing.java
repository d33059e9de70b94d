package dev.crema.serving.http;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.logging.RequestLog;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import io.netty.util.AsciiString;
import io.netty.util.AttributeKey;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Set;
import java.util.TreeSet;

/**
 * A span for each request, child of the one that W3C's {@code traceparent} header names; current
 * wherever the request's context is. Without an SDK of OpenTelemetry there are no spans, but the
 * trace of the caller is still known to logs and exemplars, and a request without one costs
 * nothing.
 */
public final class Tracing {
  /** Where a request's context has its span. */
  public static final AttributeKey<SpanContext> SPAN = AttributeKey.valueOf(Tracing.class, "SPAN");

  /** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS. */
  private static final Set<String> SERVERS_FAULTS = Set.of("2", "4", "12", "13", "14", "15");

  private static final AsciiString TRACEPARENT = AsciiString.of("traceparent");

  private static final TextMapGetter<RequestHeaders> HEADERS =
      new TextMapGetter<>() {
        @Override
        @SuppressWarnings("deprecation") // it is still to be implemented
        public Iterable<String> keys(RequestHeaders headers) {
          Set<String> keys = new TreeSet<>();
          headers.names().forEach(name -> keys.add(name.toString()));
          return keys;
        }

        @Override
        public String get(RequestHeaders headers, String key) {
          return headers == null ? null : headers.get(key);
        }
      };

  private final Tracer tracer; // null: no SDK

  public Tracing(OpenTelemetry telemetry) {
    this.tracer =
        telemetry == OpenTelemetry.noop() ? null : telemetry.getTracer("dev.crema.serving");
  }

  /** The service with this around it. */
  public HttpService around(HttpService service) {
    return new SimpleDecoratingHttpService(service) {
      @Override
      public HttpResponse serve(ServiceRequestContext ctx, HttpRequest request) throws Exception {
        HttpService inner = (HttpService) unwrap();
        return tracer == null && !request.headers().contains(TRACEPARENT)
            ? inner.serve(ctx, request)
            : traced(ctx, request, inner);
      }
    };
  }

  private HttpResponse traced(ServiceRequestContext ctx, HttpRequest request, HttpService service)
      throws Exception {
    Context parent =
        W3CTraceContextPropagator.getInstance().extract(Context.root(), request.headers(), HEADERS);
    Context context = tracer == null ? parent : parent.with(span(ctx, parent));
    Span span = Span.fromContext(context);
    if (span.getSpanContext().isValid()) {
      ctx.setAttr(SPAN, span.getSpanContext());
    }
    if (tracer != null) {
      ctx.log().whenComplete().thenAccept(log -> end(span, log));
    }
    ctx.hook(context::makeCurrent);
    Scope current = context.makeCurrent();
    try {
      return service.serve(ctx, request);
    } finally {
      current.close();
    }
  }

  /** Named and described as OpenTelemetry's conventions for HTTP and gRPC have it. */
  private Span span(ServiceRequestContext ctx, Context parent) {
    boolean grpc = Refusal.isGrpc(ctx.request().headers());
    String route = ctx.config().route().patternString();
    SpanBuilder span =
        tracer
            .spanBuilder(grpc ? ctx.path().substring(1) : ctx.method() + " " + route)
            .setParent(parent)
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("http.request.method", ctx.method().name())
            .setAttribute("http.route", route)
            .setAttribute("url.path", ctx.path())
            .setAttribute("url.scheme", ctx.sessionProtocol().isTls() ? "https" : "http")
            .setAttribute("client.address", ctx.remoteAddress().getAddress().getHostAddress());
    int method = ctx.path().lastIndexOf('/');
    if (grpc && method > 0) {
      span.setAttribute("rpc.system", "grpc")
          .setAttribute("rpc.service", ctx.path().substring(1, method))
          .setAttribute("rpc.method", ctx.path().substring(method + 1));
    }
    return span.startSpan();
  }

  private static void end(Span span, RequestLog log) {
    long status = log.responseStatus().code();
    String grpc = grpcStatus(log);
    boolean failed = status >= 500;
    span.setAttribute("http.response.status_code", status);
    if (grpc != null) {
      span.setAttribute("rpc.grpc.status_code", grpc);
      failed |= SERVERS_FAULTS.contains(grpc);
    }
    if (failed) {
      span.setStatus(StatusCode.ERROR);
    }
    span.end();
  }

  /** gRPC's code, which comes after the answer, or in its only headers; null for other requests. */
  public static String grpcStatus(RequestLog log) {
    String after = log.responseTrailers().get("grpc-status");
    return after != null ? after : log.responseHeaders().get("grpc-status");
  }
}
