package dev.crema.serving.http;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import dev.crema.serving.inference.ServingException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts requests that are being read or answered, refuses those beyond a limit, and sends clients
 * away when the server is to stop. Health is always answered.
 */
public final class InFlight {
  /** What new requests get. */
  public enum Mode {
    /** Answers. */
    SERVE,
    /** Answers, and each connection is closed after one. */
    LEAVE,
    /** 503, and each connection is closed. */
    REFUSE
  }

  /** A client may have sent requests before it read that it should leave. */
  private static final Duration LAST_STREAMS = Duration.ofSeconds(1);

  private final int limit;
  private final AtomicInteger running = new AtomicInteger();
  private volatile Mode mode = Mode.SERVE;

  public InFlight(int limit) {
    this.limit = limit;
  }

  /** Requests of now. */
  public int count() {
    return running.get();
  }

  public Mode mode() {
    return mode;
  }

  public void mode(Mode next) {
    mode = next;
  }

  /** The service with this around it. */
  public HttpService around(HttpService service) {
    return new SimpleDecoratingHttpService(service) {
      @Override
      public HttpResponse serve(ServiceRequestContext ctx, HttpRequest request) throws Exception {
        return admit(ctx, request, (HttpService) unwrap());
      }
    };
  }

  private HttpResponse admit(ServiceRequestContext ctx, HttpRequest request, HttpService service)
      throws Exception {
    Mode now = mode;
    if (now != Mode.SERVE && leaves(ctx, request)) {
      ctx.initiateConnectionShutdown(LAST_STREAMS);
    }
    if (isHealth(ctx.path())) {
      return service.serve(ctx, request);
    }
    if (now == Mode.REFUSE) {
      return Refusal.of(
          request.headers(),
          new ServingException(
              ServingException.Code.UNAVAILABLE,
              "The server is stopping; ask another one",
              Duration.ofSeconds(1),
              null));
    }
    if (running.incrementAndGet() > limit) {
      running.decrementAndGet();
      return Refusal.of(
          request.headers(),
          new ServingException(
              ServingException.Code.RESOURCE_EXHAUSTED,
              "The server answers " + limit + " requests already, which is its limit",
              Duration.ofSeconds(1),
              null));
    }
    ctx.log().whenComplete().thenRun(running::decrementAndGet);
    return service.serve(ctx, request);
  }

  /**
   * Whether a client takes the end of its connection well: HTTP/1.1 is told with its last answer,
   * and gRPC's clients know GOAWAY. That of the JDK fails all that it has running when it gets one.
   */
  private static boolean leaves(ServiceRequestContext ctx, HttpRequest request) {
    return !ctx.sessionProtocol().isMultiplex() || Refusal.isGrpc(request.headers());
  }

  private static boolean isHealth(String path) {
    return path.equals("/healthz") || path.equals("/readyz");
  }
}
