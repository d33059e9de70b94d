package dev.crema.serving.monitoring;

import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.serving.Endpoint;
import dev.crema.serving.ServingListener;
import dev.crema.serving.repository.Models;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * All that watches a server, put together: give {@link #listener} to the repository and to
 * inference, the models to {@link #watch}, and {@link #endpoint} to the server.
 *
 * <pre>{@code
 * Monitoring monitoring = Monitoring.prometheus();
 * ModelRepository models = ModelRepository.of(folder).listener(monitoring.listener()).open();
 * monitoring.watch(models);
 * BatchingInference inference = new BatchingInference(models, monitoring.listener());
 * ModelServer.builder(models).endpoint(monitoring.endpoint()) ...
 * }</pre>
 *
 * <p>Thread-safe; the caller closes it. Has one thread, which works for some microseconds a second.
 */
public final class Monitoring implements AutoCloseable {
  private static final int REFRESH_SECONDS = 5;

  /**
   * What it goes by.
   *
   * @param drift window in which inputs and predictions are compared with those of the training
   * @param feedback how long predictions wait for their truth, and the window of live accuracy
   * @param remembered numbers of predictions that are kept for their truth; one with an id takes
   *     about 10, and one for each row and value
   */
  public record Settings(Duration drift, Duration feedback, long remembered) {
    /** Ten minutes, an hour, four million numbers (about 50 MB of heap if they are used). */
    public static final Settings DEFAULT =
        new Settings(Duration.ofMinutes(10), Duration.ofHours(1), 4_000_000);

    public Settings {
      Objects.requireNonNull(drift, "drift");
      Objects.requireNonNull(feedback, "feedback");
    }
  }

  private final MeterRegistry registry;
  private final boolean owned;
  private final JvmMetrics jvm; // null: the registry is another's
  private final ServingMetrics metrics = new ServingMetrics();
  private final Traffic traffic = new Traffic();
  private final DriftMonitor drift;
  private final Feedback feedback;
  private final QualityMetrics quality;
  private final ServingListener listener;
  private final List<TrainingFeed> trainings = new CopyOnWriteArrayList<>();
  private final ScheduledThreadPoolExecutor timer;
  private volatile Models models; // null until there are
  private long seconds;

  private Monitoring(MeterRegistry registry, boolean owned, Settings settings) {
    this.registry = Objects.requireNonNull(registry, "registry");
    this.owned = owned;
    this.drift = new DriftMonitor(() -> models, settings.drift());
    this.feedback =
        new Feedback(() -> models, settings.remembered(), settings.feedback(), settings.feedback());
    this.quality = new QualityMetrics(drift, feedback);
    this.listener = ServingListener.all(List.of(metrics, traffic, drift, feedback));
    metrics.bindTo(registry);
    quality.bindTo(registry);
    this.jvm = owned ? new JvmMetrics() : null;
    if (owned) {
      jvm.bindTo(registry);
    }
    this.timer =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "crema-monitoring");
              thread.setDaemon(true);
              return thread;
            });
    timer.scheduleAtFixedRate(this::second, 1, 1, TimeUnit.SECONDS);
  }

  /** With a registry of its own for Prometheus, which also has meters of this JVM. */
  public static Monitoring prometheus() {
    return prometheus(Settings.DEFAULT);
  }

  /** As {@link #prometheus()}, by some settings. */
  public static Monitoring prometheus(Settings settings) {
    return new Monitoring(PrometheusMetrics.registry(), true, settings);
  }

  /** With a registry of the caller's, which may have other meters and be sent elsewhere. */
  public static Monitoring of(MeterRegistry registry) {
    return of(registry, Settings.DEFAULT);
  }

  /** As {@link #of(MeterRegistry)}, by some settings. */
  public static Monitoring of(MeterRegistry registry, Settings settings) {
    return new Monitoring(registry, false, settings);
  }

  /** Says which models are served; needed for drift, feedback and the page. */
  public Monitoring watch(Models served) {
    models = Objects.requireNonNull(served, "served");
    return this;
  }

  /** Shows a training on the page too: give the feed to its trainer as a callback. */
  public Monitoring show(TrainingFeed training) {
    trainings.add(Objects.requireNonNull(training, "training"));
    return this;
  }

  private void second() {
    traffic.turn();
    if (seconds++ % REFRESH_SECONDS == 0) {
      quality.refresh();
    }
  }

  /** To be told of everything that happens in a server. */
  public ServingListener listener() {
    return listener;
  }

  /**
   * {@code /metrics} (where the registry is one for Prometheus), {@code :feedback}, and what
   * Prometheus and Grafana need to know, below {@code /monitoring}.
   */
  public Endpoint endpoint() {
    return this::addTo;
  }

  private void addTo(ServerBuilder server) {
    if (registry instanceof PrometheusMeterRegistry prometheus) {
      new MetricsEndpoint(prometheus, quality::refresh).addTo(server);
    }
    new FeedbackEndpoint(feedback).addTo(server);
    new MonitoringFiles().addTo(server);
  }

  public MeterRegistry registry() {
    return registry;
  }

  public ServingMetrics metrics() {
    return metrics;
  }

  public Traffic traffic() {
    return traffic;
  }

  public DriftMonitor drift() {
    return drift;
  }

  public Feedback feedback() {
    return feedback;
  }

  /** The models that are watched; null if there are none yet. */
  public Models models() {
    return models;
  }

  public List<TrainingFeed> trainings() {
    return List.copyOf(trainings);
  }

  /** Ends its thread, and its registry if that is its own. */
  @Override
  public void close() {
    timer.shutdownNow();
    if (owned) {
      jvm.close();
      registry.close();
    }
  }
}
