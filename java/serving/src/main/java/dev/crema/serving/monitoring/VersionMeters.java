package dev.crema.serving.monitoring;

import dev.crema.serving.inference.InferenceResponse.Timings;
import dev.crema.serving.repository.VersionStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;

/** Meters of one version of a model. Looked up once, then used without allocation. Thread-safe. */
final class VersionMeters {
  /** Stands for a version of a request that named none that there is. */
  static final long NONE = Long.MIN_VALUE;

  private static final int MOST_PROTOCOLS = 16;
  private static final String OTHER = "other";
  private static final String REQUEST_DURATION = "crema.request.duration";
  private static final String PHASE_DURATION = "crema.request.phase.duration";

  final long version;
  private final MeterRegistry registry;
  private final Tags tags;
  private final Queue<Meter> made = new ConcurrentLinkedQueue<>();
  private volatile ProtocolMeters[] protocols = {};
  private volatile Computing computing; // null until it computes
  private volatile VersionStatus status; // null until it is told
  private volatile int queued;

  VersionMeters(MeterRegistry registry, String model, long version) {
    this.registry = registry;
    this.version = version;
    this.tags = Tags.of("model", model, "version", version == NONE ? "none" : "" + version);
  }

  /** What only a version that computes has. */
  private record Computing(
      Timer queue, Timer assembly, Timer compute, Timer serialise, DistributionSummary batch) {}

  ProtocolMeters protocol(String name) {
    ProtocolMeters[] known = protocols;
    for (ProtocolMeters each : known) {
      if (each.protocol.equals(name)) {
        return each;
      }
    }
    return known.length >= MOST_PROTOCOLS ? known[MOST_PROTOCOLS - 1] : add(name);
  }

  private synchronized ProtocolMeters add(String name) {
    ProtocolMeters[] known = protocols;
    for (ProtocolMeters each : known) {
      if (each.protocol.equals(name)) {
        return each;
      }
    }
    if (known.length >= MOST_PROTOCOLS) {
      return known[MOST_PROTOCOLS - 1];
    }
    String label = known.length == MOST_PROTOCOLS - 1 ? OTHER : name;
    ProtocolMeters added = new ProtocolMeters(this, label);
    ProtocolMeters[] more = Arrays.copyOf(known, known.length + 1);
    more[known.length] = added;
    protocols = more;
    return added;
  }

  void timings(Timings timings) {
    Computing meters = computing();
    meters.queue.record(timings.queue(), TimeUnit.NANOSECONDS);
    meters.assembly.record(timings.assembly(), TimeUnit.NANOSECONDS);
    meters.compute.record(timings.compute(), TimeUnit.NANOSECONDS);
  }

  void serialised(long nanos) {
    computing().serialise.record(nanos, TimeUnit.NANOSECONDS);
  }

  void computed(int examples) {
    computing().batch.record(examples);
  }

  void queued(int requests) {
    queued = requests;
  }

  private Computing computing() {
    Computing meters = computing;
    return meters != null ? meters : makeComputing();
  }

  private synchronized Computing makeComputing() {
    if (computing == null) {
      computing =
          new Computing(
              phase("queue"),
              phase("assembly"),
              phase("compute"),
              phase("serialise"),
              sizes("crema.batch.examples", "Examples that were computed together"));
      gauge("crema.queue.requests", "Requests that wait for a batch", null, () -> queued);
    }
    return computing;
  }

  Timer requestTimer(String protocol) {
    return timer(
        REQUEST_DURATION,
        "From a request's arrival to its answer; those refused are not in it",
        Tags.of("protocol", protocol));
  }

  Counter requestCounter(String protocol, String code) {
    return remember(
        Counter.builder("crema.requests")
            .description("Requests by how they ended")
            .tags(tags)
            .tags("protocol", protocol, "code", code)
            .register(registry));
  }

  private Timer phase(String phase) {
    return timer(PHASE_DURATION, "What a request's time was spent on", Tags.of("phase", phase));
  }

  private Timer timer(String name, String description, Tags more) {
    return remember(
        Timer.builder(name)
            .description(description)
            .tags(tags)
            .tags(more)
            .serviceLevelObjectives(Buckets.latencies())
            .register(registry));
  }

  private DistributionSummary sizes(String name, String description) {
    return remember(
        DistributionSummary.builder(name)
            .description(description)
            .tags(tags)
            .serviceLevelObjectives(Buckets.batches())
            .register(registry));
  }

  /** Shows a status from now on. */
  synchronized void status(VersionStatus now) {
    boolean first = status == null;
    status = now;
    if (!first) {
      return;
    }
    for (VersionStatus.State state : VersionStatus.State.values()) {
      remember(
          Gauge.builder("crema.model.state", () -> status.state() == state ? 1 : 0)
              .description("1 for the state that a version is in")
              .tags(tags)
              .tags("state", state.name().toLowerCase(Locale.ROOT))
              .register(registry));
    }
    gauge(
        "crema.model.failed",
        "1 if a version could not be loaded",
        null,
        () -> status.error().isEmpty() ? 0 : 1);
    gauge(
        "crema.model.load.duration",
        "Reading, checking and warming a version",
        "seconds",
        () -> status.loadTime().toNanos() / 1e9);
    gauge(
        "crema.model.parameters",
        "Off-heap memory of a version's parameters",
        "bytes",
        () -> status.state() == VersionStatus.State.AVAILABLE ? status.bytes() : 0);
  }

  VersionStatus status() {
    return status;
  }

  private void gauge(
      String name, String description, String unit, java.util.function.Supplier<Number> value) {
    remember(
        Gauge.builder(name, value)
            .description(description)
            .baseUnit(unit)
            .tags(tags)
            .register(registry));
  }

  private <M extends Meter> M remember(M meter) {
    made.add(meter);
    return meter;
  }

  /** Takes its series out of the registry. */
  void remove() {
    for (Meter meter = made.poll(); meter != null; meter = made.poll()) {
      registry.remove(meter);
    }
  }
}
