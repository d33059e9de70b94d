package dev.crema.serving.monitoring;

import dev.crema.serving.inference.ShadowComparison;
import dev.crema.serving.repository.VersionStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * Meters of one model. Versions that have ended stay for a while, so that scrapes see the last of
 * them, and then go: reloads leave no series behind. Thread-safe.
 */
final class ModelMeters {
  /** Ended versions whose series stay. */
  private static final int ENDED = 2;

  final String name;
  private final MeterRegistry registry;
  private final Counter loads;
  private final Counter failures;
  private final Deque<VersionMeters> ended = new ArrayDeque<>();
  private volatile VersionMeters[] versions = {};

  /**
   * @param known whether there is such a model
   */
  ModelMeters(MeterRegistry registry, String name, boolean known) {
    this.registry = registry;
    this.name = name;
    this.loads = known ? loads("success") : null;
    this.failures = known ? loads("failure") : null;
  }

  private Counter loads(String result) {
    return Counter.builder("crema.model.loads")
        .description("Versions loaded, or not")
        .tags("model", name, "result", result)
        .register(registry);
  }

  /** Null if it is not known. */
  VersionMeters known(long version) {
    for (VersionMeters each : versions) {
      if (each.version == version) {
        return each;
      }
    }
    return null;
  }

  VersionMeters version(long version) {
    VersionMeters known = known(version);
    return known != null ? known : add(version);
  }

  private synchronized VersionMeters add(long version) {
    VersionMeters known = known(version);
    if (known != null) {
      return known;
    }
    VersionMeters added = new VersionMeters(registry, name, version);
    VersionMeters[] more = Arrays.copyOf(versions, versions.length + 1);
    more[more.length - 1] = added;
    versions = more;
    return added;
  }

  synchronized void changed(VersionStatus status) {
    VersionMeters meters = version(status.version());
    VersionStatus before = meters.status();
    meters.status(status);
    boolean failed = !status.error().isEmpty();
    if (failed && (before == null || before.error().isEmpty())) {
      failures.increment();
    }
    boolean available = status.state() == VersionStatus.State.AVAILABLE;
    if (available && (before == null || before.state() != VersionStatus.State.AVAILABLE)) {
      loads.increment();
    }
    ended.remove(meters); // it may have come back
    if (status.state() == VersionStatus.State.END) {
      ended.add(meters);
      while (ended.size() > ENDED) {
        remove(ended.poll());
      }
    }
  }

  /** Looked up each time: shadows compute a part of the requests, and not while a client waits. */
  void compared(ShadowComparison comparison) {
    boolean failed = !comparison.error().isEmpty();
    shadows("failed", failed ? comparison.examples() : 0);
    shadows("agreed", failed ? 0 : comparison.agreeing());
    shadows("differed", failed ? 0 : comparison.examples() - comparison.agreeing());
  }

  private void shadows(String result, int examples) {
    Counter.builder("crema.shadow.examples")
        .description("Examples that a shadow version was asked too, by its answer")
        .tags("model", name, "result", result)
        .register(registry)
        .increment(examples);
  }

  private void remove(VersionMeters gone) {
    versions = Arrays.stream(versions).filter(each -> each != gone).toArray(VersionMeters[]::new);
    gone.remove();
  }
}
