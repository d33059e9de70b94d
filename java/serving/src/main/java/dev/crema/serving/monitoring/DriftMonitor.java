package dev.crema.serving.monitoring;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.eval.drift.Reference;
import dev.crema.eval.drift.ReferenceFormat;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares what models are asked and what they answer with the reference that was stored with each
 * at its training. Looks at a sample: at most a million values a second of each version, which
 * costs about a hundredth of a processor; of a large request the first examples; nothing while
 * another thread is being counted. Thread-safe.
 */
public final class DriftMonitor implements ServingListener {
  private static final Logger LOG = LoggerFactory.getLogger(DriftMonitor.class);

  private static final long NANOS_A_VALUE = 1_000;
  private static final long BURST_NANOS = 250_000_000;

  private final Supplier<Models> models;
  private final long window;
  private final LongSupplier clock;
  private final Map<String, Map<Long, Watched>> versions = new ConcurrentHashMap<>();

  /**
   * @param models that are served; gives null as long as there are none
   * @param window how long a request counts, at most; at least half of it
   */
  public DriftMonitor(Supplier<Models> models, Duration window) {
    this(models, window, System::nanoTime);
  }

  DriftMonitor(Supplier<Models> models, Duration window, LongSupplier clock) {
    this.models = Objects.requireNonNull(models, "models");
    this.window = window.toNanos();
    this.clock = clock;
  }

  /** A version, of which the reference is read by {@link #refresh}, not while requests wait. */
  private static final class Watched {
    final ReentrantLock lock = new ReentrantLock();
    final JsonNode source; // null: not read yet, or there is none
    final VersionDrift drift; // null likewise
    volatile long free; // when the values counted so far are paid for; written under the lock
    volatile boolean read;

    Watched(JsonNode source, VersionDrift drift, long now) {
      this.source = source;
      this.drift = drift;
      this.free = now;
    }
  }

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    Watched watched = watched(response.model(), response.version());
    VersionDrift drift = watched.drift;
    if (drift == null) {
      return;
    }
    long now = clock.getAsLong();
    long cost = NANOS_A_VALUE * drift.width();
    long due = Math.max(watched.free, now);
    int most = (int) ((now + BURST_NANOS - due) / cost);
    if (most <= 0 || !watched.lock.tryLock()) {
      return;
    }
    try {
      long before = drift.examples();
      drift.add(request.inputs(), response.outputs(), most, now);
      long counted = drift.examples() - before;
      watched.free = due + counted * cost;
    } finally {
      watched.lock.unlock();
    }
  }

  private Watched watched(String model, long version) {
    Map<Long, Watched> of = versions.get(model);
    Watched known = of == null ? null : of.get(version);
    return known != null
        ? known
        : versions
            .computeIfAbsent(model, m -> new ConcurrentHashMap<>())
            .computeIfAbsent(version, v -> new Watched(null, null, clock.getAsLong()));
  }

  @Override
  public void changed(VersionStatus status) {
    if (status.state() == VersionStatus.State.AVAILABLE) {
      watched(status.model(), status.version()).read = false; // other files may have another
    } else if (status.state() == VersionStatus.State.END) {
      Map<Long, Watched> of = versions.get(status.model());
      if (of != null) {
        of.remove(status.version());
      }
    }
  }

  /** Reads the references of versions that are new. */
  public void refresh() {
    Models all = models.get();
    if (all == null) {
      return;
    }
    versions.forEach(
        (model, of) ->
            of.forEach(
                (version, watched) -> {
                  if (!watched.read) {
                    read(all, model, version, of, watched);
                  }
                }));
  }

  private void read(
      Models from, String model, long version, Map<Long, Watched> of, Watched watched) {
    watched.read = true; // before it is read: what changes meanwhile is read again
    try {
      JsonNode json = from.metadata(ModelReference.version(model, version)).get(Reference.KEY);
      if (Objects.equals(json, watched.source)) {
        return;
      }
      long now = clock.getAsLong();
      Watched fresh =
          new Watched(
              json,
              json == null
                  ? null
                  : new VersionDrift(model, version, ReferenceFormat.read(json), window, now),
              now);
      fresh.read = true;
      of.replace(version, watched, fresh);
      if (!watched.read) {
        fresh.read = false;
      }
    } catch (ServingException e) {
      watched.read = false;
      LOG.debug("No drift of {} version {} yet: {}", model, version, e.getMessage());
    } catch (CremaException e) {
      LOG.warn("No drift of {} version {}: {}", model, version, e.getMessage());
    }
  }

  /** How each version that has a reference differs from it now, by name and version. */
  public List<DriftReport> reports() {
    return all().map(d -> locked(d, drift -> drift.report(clock.getAsLong()))).toList();
  }

  /** Counts since a version was first asked. */
  record Totals(String model, long version, long examples, long missing, long outOfRange) {}

  List<Totals> totals() {
    return all()
        .map(
            w ->
                locked(
                    w,
                    d -> new Totals(d.model, d.version, d.examples(), d.missing(), d.outOfRange())))
        .toList();
  }

  private Stream<Watched> all() {
    return versions.values().stream()
        .flatMap(of -> of.values().stream())
        .filter(w -> w.drift != null)
        .sorted(
            Comparator.comparing((Watched w) -> w.drift.model)
                .thenComparingLong(w -> w.drift.version));
  }

  private static <T> T locked(Watched watched, java.util.function.Function<VersionDrift, T> of) {
    watched.lock.lock();
    try {
      return of.apply(watched.drift);
    } finally {
      watched.lock.unlock();
    }
  }
}
