package dev.crema.serving.batching;

import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.repository.LoadedVersion;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicLongArray;

/** What waits for one version, and how long that has taken lately. */
final class VersionQueue {
  /** A stretch of a request's examples. */
  record Part(Pending pending, int from, int rows) {}

  private static final Comparator<Pending> ORDER =
      Comparator.<Pending>comparingInt(p -> -Math.max(p.request.priority(), -Integer.MAX_VALUE))
          .thenComparingLong(p -> p.sequence);

  private static final int SMOOTHING = 8; // of measured times

  final LoadedVersion version;
  final Ports ports;
  final BatchSettings settings;
  final boolean shadow;
  private final int most;
  private final int preferred; // biggest size that is not waited beyond
  private final int[] capacities;
  private final AtomicLongArray nanos; // of a batch, by the capacity of its plan; 0: not known

  // Guarded by the scheduler's lock:
  private final PriorityQueue<Pending> waiting = new PriorityQueue<>(ORDER);
  private int rows;
  private long bytes; // of the inputs
  private int computing;
  private int lastRequests;
  private long lastEnd;
  long worked; // virtual time: nanoseconds of processors used

  VersionQueue(LoadedVersion version, boolean shadow) {
    this.version = version;
    this.shadow = shadow;
    this.settings = version.batching();
    this.ports = new Ports("'" + version.name() + "'", version.signature());
    this.most = version.predictors().maximumBatch();
    List<Integer> sizes = settings.preferredSizes();
    this.preferred = sizes.isEmpty() ? most : sizes.get(sizes.size() - 1);
    this.capacities = version.predictors().capacities();
    this.nanos = new AtomicLongArray(capacities.length);
  }

  /** Most examples of a batch. */
  int most() {
    return most;
  }

  /** About how long a batch of that many examples takes; 0 if that is not known. */
  long nanos(int rows) {
    return nanos.get(index(rows));
  }

  void measured(int rows, long took) {
    int i = index(rows);
    long before = nanos.get(i);
    nanos.set(i, before == 0 ? took : before + (took - before) / SMOOTHING);
  }

  private int index(int rows) {
    int i = 0;
    while (i < capacities.length - 1 && capacities[i] < rows) {
      i++;
    }
    return i;
  }

  int waitingRows() {
    return rows;
  }

  /** Of the inputs of those that wait. */
  long waitingBytes() {
    return bytes;
  }

  int waitingRequests() {
    return waiting.size();
  }

  int computing() {
    return computing;
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** A request bigger than the bound is taken when nothing else waits. */
  boolean hasRoom(int more) {
    return rows == 0 && settings.queueCapacity() > 0
        || rows + (long) more <= settings.queueCapacity();
  }

  void add(Pending pending) {
    waiting.add(pending);
    rows += pending.rows;
    bytes += pending.bytes();
  }

  /** False if it is not there any more. */
  boolean remove(Pending pending) {
    boolean there = waiting.remove(pending);
    if (there) {
      rows -= pending.left();
      bytes -= pending.bytes();
    }
    return there;
  }

  /** All that waits, which leaves. */
  List<Pending> removeAll() {
    List<Pending> all = new ArrayList<>(waiting);
    waiting.clear();
    bytes = 0;
    rows = 0;
    return all;
  }

  /**
   * When the next batch shall leave, on System.nanoTime's clock: at once, unless the model is busy
   * and a delay was asked for.
   */
  long readyAt(long now) {
    long delay = settings.maximumDelay().toNanos();
    if (delay == 0 || rows >= preferred) {
      return now;
    }
    boolean busy = computing > 0 || lastRequests > 1 && now - lastEnd < 2 * delay;
    return busy ? oldest() + delay : now;
  }

  private long oldest() {
    long oldest = Long.MAX_VALUE;
    for (Pending p : waiting) {
      oldest = Math.min(oldest, p.arrived);
    }
    return oldest;
  }

  /**
   * Takes the next batch.
   *
   * @param batch gets it
   * @param dropped gets those that nobody waits for any more
   */
  void take(long now, List<Part> batch, List<Pending> dropped) {
    drop(now, dropped);
    int room = size();
    int taken = 0;
    while (!waiting.isEmpty()) {
      Pending first = waiting.peek();
      int part = Math.min(first.left(), most);
      if (taken > 0 && taken + part > room) {
        break;
      }
      first.hold();
      batch.add(new Part(first, first.next, part));
      first.next += part;
      rows -= part;
      taken += part;
      if (first.left() == 0) {
        waiting.poll();
        bytes -= first.bytes();
        first.letGo();
      }
      if (taken >= room) {
        break;
      }
    }
    if (!batch.isEmpty()) {
      computing++;
    }
  }

  /** Those that nobody waits for any more leave. */
  void drop(long now, List<Pending> dropped) {
    waiting.removeIf(
        p -> {
          long deadline = shadow ? InferenceRequest.NO_DEADLINE : p.request.deadlineNanos();
          boolean late =
              p.isDone() || deadline != InferenceRequest.NO_DEADLINE && deadline - now <= 0;
          if (late) {
            rows -= p.left();
            bytes -= p.bytes();
            dropped.add(p);
          }
          return late;
        });
  }

  /** As many as wait, or the biggest preferred size that they fill. */
  private int size() {
    int size = Math.min(rows, most);
    int fit = 0;
    for (int preferredSize : settings.preferredSizes()) {
      fit = preferredSize <= size ? preferredSize : fit;
    }
    return fit == 0 ? Math.max(size, 1) : fit;
  }

  /** A batch has been computed. */
  void done(int requests, long took, long now) {
    computing--;
    lastRequests = requests;
    lastEnd = now;
    worked += took;
  }
}
