package dev.crema.serving.http;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import dev.crema.serving.inference.ServingException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
  private final CountDownLatch idle = new CountDownLatch(1);
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

  /** Has clients go elsewhere, and answers them until they do. */
  public void leave() {
    mode = Mode.LEAVE;
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
    if (isHealth(ctx.path())) {
      leave(ctx, request, mode);
      return service.serve(ctx, request);
    }
    // Counted before the mode is read, so that whoever has set it sees this one or refuses it.
    int number = running.incrementAndGet();
    Mode now = mode;
    leave(ctx, request, now);
    if (now == Mode.REFUSE) {
      return refuse(
          request, ServingException.Code.UNAVAILABLE, "The server is stopping; ask another one");
    }
    if (number > limit) {
      return refuse(
          request,
          ServingException.Code.RESOURCE_EXHAUSTED,
          "The server answers " + limit + " requests already, which is its limit");
    }
    ctx.log().whenComplete().thenRun(this::ended);
    return service.serve(ctx, request);
  }

  private HttpResponse refuse(HttpRequest request, ServingException.Code code, String why) {
    ended();
    return Refusal.of(
        request.headers(), new ServingException(code, why, Duration.ofSeconds(1), null));
  }

  private void ended() {
    if (running.decrementAndGet() == 0 && mode == Mode.REFUSE) {
      idle.countDown();
    }
  }

  /**
   * Refuses new requests from now on and waits for those that run; returns whether all have ended
   * in that time.
   */
  public boolean drain(Duration longest) {
    mode = Mode.REFUSE;
    if (running.get() == 0) {
      return true;
    }
    try {
      return idle.await(longest.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void leave(ServiceRequestContext ctx, HttpRequest request, Mode mode) {
    if (mode != Mode.SERVE && leaves(ctx, request)) {
      ctx.initiateConnectionShutdown(LAST_STREAMS);
    }
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
