package dev.crema.serving.monitoring;

import dev.crema.memory.Buffer;
import dev.crema.memory.Leaks;
import dev.crema.nn.Model;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ShadowComparison;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.VersionStatus;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Meters of everything that is served: requests, latencies and what they consist of, batches,
 * queues, versions of models, memory. Tell it of a server's events and bind it to a registry, in
 * whichever order; what happens before it is bound is not counted, but the versions are known.
 *
 * <p>Names of models and versions become labels only if there are such: a client that asks for a
 * thousand models that are not there makes one series. Thread-safe; allocates nothing for a request
 * to a version that was asked before.
 */
public final class ServingMetrics implements ServingListener, MeterBinder {
  private static final String UNKNOWN = "unknown";

  private final Map<String, ModelMeters> models = new ConcurrentHashMap<>();
  private final LongAdder inFlight = new LongAdder();
  private final List<VersionStatus> early = new ArrayList<>();
  private volatile MeterRegistry registry; // null until bound
  private volatile ModelMeters unknown;

  /**
   * Registers its meters; those of models when they are first told of.
   *
   * @throws IllegalStateException if it is bound already
   */
  @Override
  public synchronized void bindTo(MeterRegistry registry) {
    Objects.requireNonNull(registry, "registry");
    if (this.registry != null) {
      throw new IllegalStateException("These ServingMetrics are bound to a registry already");
    }
    Gauge.builder("crema.requests.in.flight", inFlight, LongAdder::sum)
        .description("Requests that are neither answered nor refused yet")
        .register(registry);
    Gauge.builder("crema.memory.offheap", Buffer::allocatedBytes)
        .description("Memory off the heap in all buffers and plans of this process")
        .baseUnit("bytes")
        .register(registry);
    FunctionCounter.builder("crema.memory.unclosed", this, m -> Leaks.unclosed())
        .description("Buffers that nobody closed and the garbage collector found")
        .register(registry);
    Gauge.builder("crema.build.info", () -> 1)
        .description("1; its label says the version of Crema")
        .tag("crema_version", Model.VERSION)
        .register(registry);
    unknown = new ModelMeters(registry, UNKNOWN, false);
    this.registry = registry;
    early.forEach(this::changed);
    early.clear();
  }

  @Override
  public void received(InferenceRequest request) {
    inFlight.increment();
  }

  @Override
  public void queued(String model, long version, int requests) {
    if (registry != null) {
      model(model).version(version).queued(requests);
    }
  }

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    inFlight.decrement();
    if (registry == null) {
      return;
    }
    VersionMeters version = model(response.model()).version(response.version());
    version.protocol(request.protocol()).answered(totalNanos);
    version.timings(response.timings());
  }

  @Override
  public void refused(InferenceRequest request, ServingException why, long totalNanos) {
    inFlight.decrement();
    if (registry != null) {
      ModelReference asked = request.model();
      refused(
          models.get(asked.name()),
          asked.version().orElse(VersionMeters.NONE),
          request.protocol(),
          why);
    }
  }

  @Override
  public void malformed(String protocol, String model, ServingException why) {
    if (registry != null) {
      refused(models.get(model), VersionMeters.NONE, protocol, why);
    }
  }

  private void refused(ModelMeters model, long asked, String protocol, ServingException why) {
    ModelMeters known = model == null ? unknown : model;
    VersionMeters version = known.known(asked);
    if (version == null) {
      version = known.version(VersionMeters.NONE);
    }
    version.protocol(protocol).refused(why.code());
  }

  @Override
  public void serialised(InferenceRequest request, InferenceResponse response, long nanos) {
    if (registry != null) {
      model(response.model()).version(response.version()).serialised(nanos);
    }
  }

  @Override
  public void computed(String model, long version, int requests, int examples, long nanos) {
    if (registry != null) {
      model(model).version(version).computed(examples);
    }
  }

  @Override
  public void compared(ShadowComparison comparison) {
    if (registry != null) {
      model(comparison.model()).compared(comparison);
    }
  }

  @Override
  public void changed(VersionStatus status) {
    if (registry == null && isEarly(status)) {
      return;
    }
    model(status.model()).changed(status);
  }

  private synchronized boolean isEarly(VersionStatus status) {
    if (registry == null) {
      early.removeIf(s -> s.model().equals(status.model()) && s.version() == status.version());
      early.add(status);
    }
    return registry == null;
  }

  /** Requests that are neither answered nor refused yet. */
  public long inFlight() {
    return inFlight.sum();
  }

  /** Of a model that there is. */
  private ModelMeters model(String name) {
    ModelMeters meters = models.get(name);
    return meters != null
        ? meters
        : models.computeIfAbsent(name, n -> new ModelMeters(registry, n, true));
  }
}
