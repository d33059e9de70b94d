package dev.crema.serving;

import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.common.util.BlockingTaskExecutor;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.CremaException;
import dev.crema.serving.http.AccessLog;
import dev.crema.serving.http.EventLoops;
import dev.crema.serving.http.Health;
import dev.crema.serving.http.InFlight;
import dev.crema.serving.http.PlainErrors;
import dev.crema.serving.http.Tracing;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.Models;
import dev.crema.serving.security.AccessControl;
import dev.crema.serving.security.Guard;
import dev.crema.serving.security.Limits;
import dev.crema.serving.security.Tls;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.netty.channel.EventLoopGroup;
import io.opentelemetry.api.OpenTelemetry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;

/**
 * Serves models over HTTP/1.1, HTTP/2 and gRPC on one port. Shares nothing with other servers of
 * the same process. Thread-safe.
 *
 * <pre>{@code
 * try (ModelServer server = ModelServer.builder(models)
 *     .port(0)
 *     .endpoint(new Protocols(models, inference, ProtocolOptions.DEFAULT))
 *     .build()
 *     .start()) {
 *   ... server.uri() ...
 * }
 * }</pre>
 */
public final class ModelServer implements AutoCloseable {
  private enum State {
    NEW,
    STARTED,
    CLOSED
  }

  /**
   * Threads for what takes its time: metrics, big bodies, loading by request. Armeria's own pool is
   * shared by the process and makes a thread a task until there are 200.
   */
  private static final int BLOCKING = Math.max(8, 2 * Runtime.getRuntime().availableProcessors());

  private final Builder settings;
  private final InFlight inFlight;
  private final EventLoopGroup eventLoops;
  private final Server server;
  private volatile State state = State.NEW;

  private ModelServer(Builder settings) {
    this.settings = settings;
    this.inFlight = new InFlight(settings.limits.inFlight());
    this.eventLoops = EventLoops.of(settings.threads, "crema-serve");
    this.server = build();
  }

  /** A server of these models that answers {@code /healthz} and {@code /readyz}, for a start. */
  public static Builder builder(Models models) {
    return new Builder(models);
  }

  private Server build() {
    Limits limits = settings.limits;
    ServerBuilder builder =
        Server.builder()
            .port(
                new InetSocketAddress(settings.address, settings.port),
                settings.tls == null ? SessionProtocol.HTTP : SessionProtocol.HTTPS)
            .workerGroup(eventLoops, false)
            .bossGroupFactory(name -> EventLoops.of(1, "crema-accept"))
            .blockingTaskExecutor(
                BlockingTaskExecutor.builder()
                    .numThreads(BLOCKING)
                    .threadNamePrefix("crema-blocking")
                    .build(),
                true)
            .meterRegistry(new CompositeMeterRegistry()) // not the one that the process shares
            .unloggedExceptionsReportInterval(
                Duration.ZERO) // clients that are too slow are no news
            .disableServerHeader()
            .verboseResponses(false)
            .errorHandler(new PlainErrors())
            .maxRequestLength(limits.requestBytes())
            .http1MaxHeaderSize(limits.headerBytes())
            .http2MaxHeaderListSize(limits.headerBytes())
            .maxNumConnections(limits.connections())
            .requestTimeout(limits.requestTimeout())
            .idleTimeout(limits.idleTimeout())
            // InFlight does it: nothing runs any more when this server is told to stop.
            .gracefulShutdownTimeout(Duration.ZERO, Duration.ZERO)
            .connectionDrainDuration(Duration.ZERO);
    new Health(this::notReady).addTo(builder);
    for (Endpoint endpoint : settings.endpoints) {
      endpoint.addTo(builder);
    }
    if (settings.tls != null) {
      settings.tls.addTo(builder);
    }
    builder.decorator(this::around);
    return builder.build();
  }

  /** From the outside: traces, log, limit and drain, permissions. */
  private HttpService around(HttpService service) {
    HttpService guarded = settings.guard.around(service);
    HttpService counted = inFlight.around(guarded);
    HttpService logged = settings.accessLog.around(counted);
    return settings.tracing.around(logged);
  }

  /**
   * Binds the port; returns when requests are answered.
   *
   * @throws CremaException if the port can't be bound
   * @throws IllegalStateException if it was started before
   */
  public synchronized ModelServer start() {
    if (state != State.NEW) {
      throw new IllegalStateException(
          "This ModelServer was "
              + (state == State.CLOSED ? "closed" : "started")
              + "; build another one");
    }
    try {
      server.start().join();
    } catch (CompletionException e) {
      close();
      throw new CremaException(
          "Can't serve at "
              + settings.address
              + " port "
              + settings.port
              + ": "
              + e.getCause().getMessage()
              + ". Is the port in use by another process? (Port 0 takes any that is free.)",
          e.getCause());
    }
    state = State.STARTED;
    return this;
  }

  /** The port that it answers on: that asked for, or a free one if that was 0. */
  public int port() {
    if (state != State.STARTED) {
      throw new IllegalStateException(
          "This ModelServer " + (state == State.NEW ? "has not been started" : "is closed"));
    }
    return server.activeLocalPort();
  }

  /** Where it answers, as {@code http://127.0.0.1:8501}. */
  public URI uri() {
    InetAddress address =
        settings.address.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : settings.address;
    String host = address.getHostAddress();
    return URI.create(
        (settings.tls == null ? "http://" : "https://")
            + (host.contains(":") ? "[" + host + "]" : host)
            + ":"
            + port());
  }

  /** What it serves. */
  public Models models() {
    return settings.models;
  }

  /** Requests that are being read or answered now. */
  public int inFlight() {
    return inFlight.count();
  }

  /** Why {@code /readyz} says 503; "" while it says 200. */
  public String notReady() {
    if (state != State.STARTED || inFlight.mode() != InFlight.Mode.SERVE) {
      return state == State.NEW ? "starting" : "stopping";
    }
    List<String> missing = new ArrayList<>();
    for (String name : settings.models.names()) {
      if (!settled(name)) {
        missing.add(name);
      }
    }
    return missing.isEmpty() ? "" : "no version is available of " + String.join(", ", missing);
  }

  private boolean settled(String model) {
    try {
      return settings.models.isSettled(model);
    } catch (ServingException e) {
      return true; // removed between two calls
    }
  }

  /**
   * Stops: {@code /readyz} says 503 while requests are still answered for the notice that was asked
   * for, then new requests get 503 and those that run are answered, up to the time of {@link
   * Builder#drain}. Then connections are closed, and after them what was given to {@link
   * Builder#closing}. Does nothing the second time.
   */
  @Override
  public synchronized void close() {
    if (state == State.CLOSED) {
      return;
    }
    if (state == State.STARTED && !settings.notice.isZero()) {
      inFlight.leave();
      sleep(settings.notice);
    }
    inFlight.drain(settings.drain);
    state = State.CLOSED;
    try {
      server.stop().join();
    } finally {
      eventLoops.shutdownGracefully().awaitUninterruptibly(1500);
      closeOthers();
    }
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void closeOthers() {
    CremaException failed = null;
    for (int i = settings.closing.size() - 1; i >= 0; i--) {
      try {
        settings.closing.get(i).close();
      } catch (Exception e) {
        if (failed == null) {
          failed = new CremaException("Closing " + settings.closing.get(i) + " failed: " + e, e);
        } else {
          failed.addSuppressed(e);
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
  }

  /** Settings of a server. Not thread-safe; not to be used after {@link #build}. */
  public static final class Builder {
    private final Models models;
    private final List<Endpoint> endpoints = new ArrayList<>();
    private final List<AutoCloseable> closing = new ArrayList<>();
    private InetAddress address = InetAddress.getLoopbackAddress();
    private int port = 8501;
    private int threads = Runtime.getRuntime().availableProcessors();
    private Limits limits = Limits.DEFAULT;
    private Guard guard = new Guard(AccessControl.OPEN);
    private Tls tls;
    private AccessLog accessLog = new AccessLog(0);
    private Tracing tracing = new Tracing(OpenTelemetry.noop());
    private Duration notice = Duration.ZERO;
    private Duration drain = Duration.ofSeconds(30);

    private Builder(Models models) {
      this.models = Objects.requireNonNull(models, "models");
    }

    /** Where to listen; loopback unless this is called. */
    public Builder address(InetAddress address) {
      this.address = Objects.requireNonNull(address, "address");
      return this;
    }

    /** TCP port, 8501 unless this is called; 0 for any that is free. */
    public Builder port(int port) {
      if (port < 0 || port > 65_535) {
        throw new IllegalArgumentException("A port is from 0 to 65535, got " + port);
      }
      this.port = port;
      return this;
    }

    /** Threads that read and write; as many as processors unless this is called. */
    public Builder threads(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException("A server has at least 1 thread, got " + threads);
      }
      this.threads = threads;
      return this;
    }

    /** Adds something that answers. */
    public Builder endpoint(Endpoint endpoint) {
      endpoints.add(Objects.requireNonNull(endpoint, "endpoint"));
      return this;
    }

    public Builder limits(Limits limits) {
      this.limits = Objects.requireNonNull(limits, "limits");
      return this;
    }

    /**
     * Who may do what; that of {@link AccessControl#OPEN} unless this is called. Protocols that
     * read the model's name from a message ask the same guard.
     */
    public Builder guard(Guard guard) {
      this.guard = Objects.requireNonNull(guard, "guard");
      return this;
    }

    /** HTTPS only, with these files; plain HTTP unless this is called. */
    public Builder tls(Tls tls) {
      this.tls = Objects.requireNonNull(tls, "tls");
      return this;
    }

    /** The share of requests that are logged, from 0 to 1; none unless this is called. */
    public Builder accessLog(double share) {
      this.accessLog = new AccessLog(share);
      return this;
    }

    /** Where spans go; nowhere unless this is called. */
    public Builder telemetry(OpenTelemetry telemetry) {
      this.tracing = new Tracing(telemetry);
      return this;
    }

    /**
     * How long a server that is to stop says so at {@code /readyz} and still answers, for load
     * balancers to notice; zero unless this is called.
     */
    public Builder notice(Duration notice) {
      this.notice = notNegative("notice", notice);
      return this;
    }

    /** How long requests may take to end when the server stops; 30 seconds unless called. */
    public Builder drain(Duration drain) {
      this.drain = notNegative("drain", drain);
      return this;
    }

    /** What is to be closed after the server, the last given first: batching, repositories. */
    public Builder closing(AutoCloseable other) {
      closing.add(Objects.requireNonNull(other, "other"));
      return this;
    }

    public ModelServer build() {
      return new ModelServer(this);
    }

    private static Duration notNegative(String name, Duration time) {
      if (time.isNegative()) {
        throw new IllegalArgumentException(name + " can't be negative, got " + time);
      }
      return time;
    }
  }
}
