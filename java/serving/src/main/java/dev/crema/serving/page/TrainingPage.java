package dev.crema.serving.page;

import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.CremaException;
import dev.crema.serving.http.EventLoops;
import dev.crema.serving.monitoring.Monitoring;
import dev.crema.serving.monitoring.TrainingFeed;
import dev.crema.serving.monitoring.TrainingMetrics;
import dev.crema.train.Callback;
import io.netty.channel.EventLoopGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;

/**
 * Shows a training while it runs: the page at {@code /} and Prometheus's {@code /metrics}, on this
 * machine only. Give {@link #callbacks} to the trainer. The caller closes it.
 */
public final class TrainingPage implements AutoCloseable {
  private final Monitoring monitoring = Monitoring.prometheus();
  private final List<Callback> callbacks;
  private final EventLoopGroup threads = EventLoops.of(1, "crema-page");
  private final Server server;

  /**
   * Serves at once.
   *
   * @param port 0 for any that is free
   * @param run what the training is called
   * @throws CremaException if the port is not free
   */
  public TrainingPage(int port, String run) {
    TrainingFeed feed = new TrainingFeed(run);
    monitoring.show(feed);
    this.callbacks = List.of(feed, new TrainingMetrics(monitoring.registry(), run));
    ServerBuilder builder =
        Server.builder()
            .port(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port), SessionProtocol.HTTP)
            .workerGroup(threads, false)
            .bossGroupFactory(name -> EventLoops.of(1, "crema-page-accept"))
            .gracefulShutdownTimeout(Duration.ZERO, Duration.ZERO)
            .disableServerHeader();
    monitoring.endpoint().addTo(builder);
    new OperationsPage(monitoring).addTo(builder);
    this.server = builder.build();
    try {
      server.start().join();
    } catch (CompletionException e) {
      close();
      throw new CremaException(
          "Can't show the training at port "
              + port
              + ": "
              + e.getCause().getMessage()
              + ". Give another port, or 0 for any that is free.",
          e.getCause());
    }
  }

  public URI uri() {
    return URI.create("http://127.0.0.1:" + server.activeLocalPort() + "/");
  }

  /** What tells it of the training. */
  public List<Callback> callbacks() {
    return callbacks;
  }

  @Override
  public void close() {
    server.stop().join();
    threads.shutdownGracefully().awaitUninterruptibly();
    monitoring.close();
  }
}
