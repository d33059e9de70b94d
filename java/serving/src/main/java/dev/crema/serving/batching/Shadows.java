package dev.crema.serving.batching;

import dev.crema.memory.ElementType;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ShadowComparison;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.LoadedVersion;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Has shadow versions compute copies of requests, after all else, and compares the answers. What
 * goes wrong with a copy harms no client; when too many wait, further ones are left out.
 */
final class Shadows {
  private static final int MOST_WAITING = 256;
  private static final long MOST_BYTES = 64 << 20; // of copied inputs

  private final Scheduler scheduler;
  private final Telling telling;
  private final ConcurrentHashMap<LoadedVersion, VersionQueue> queues = new ConcurrentHashMap<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();

  Shadows(Scheduler scheduler, Telling telling) {
    this.scheduler = scheduler;
    this.telling = telling;
  }

  /** Not the queue of those whom the same version serves. */
  private VersionQueue queue(LoadedVersion version) {
    VersionQueue queue = queues.get(version);
    if (queue == null) {
      queues.keySet().removeIf(LoadedVersion::isClosed);
      queue = queues.computeIfAbsent(version, v -> new VersionQueue(v, true));
    }
    return queue;
  }

  /** Takes over a lease of the version. */
  void copy(
      LoadedVersion version,
      InferenceRequest request,
      Map<String, TensorValue> given,
      int rows,
      CompletableFuture<InferenceResponse> answer) {
    long size = given.values().stream().mapToLong(value -> value.data().remaining()).sum();
    if (rows == 0 || answer.isCompletedExceptionally() || !enter(size)) {
      version.release();
      return;
    }
    VersionQueue queue = queue(version);
    boolean taken = false;
    try {
      Pending copy = pending(queue, request, given, rows);
      scheduler.add(copy);
      taken = true;
      copy.whenComplete(
          (shadow, error) -> {
            leave(size);
            answer.whenComplete((response, e) -> compare(queue, rows, response, shadow, error));
          });
    } catch (RuntimeException e) {
      answer.whenComplete((response, error) -> compare(queue, rows, response, null, e));
    } finally {
      if (!taken) {
        leave(size);
        version.release();
      }
    }
  }

  private boolean enter(long size) {
    int copies = waiting.incrementAndGet();
    long all = bytes.addAndGet(size);
    if (copies <= MOST_WAITING && all <= MOST_BYTES) {
      return true;
    }
    leave(size);
    return false;
  }

  private void leave(long size) {
    waiting.decrementAndGet();
    bytes.addAndGet(-size);
  }

  private Pending pending(
      VersionQueue queue, InferenceRequest request, Map<String, TensorValue> given, int rows) {
    Map<String, TensorValue> inputs = given;
    if (!request.rows().isEmpty()) { // its own preprocessing may be another
      inputs =
          Map.of(
              queue.version.signature().inputs().get(0).name(),
              queue.version.encode(request.rows()));
    }
    Map<String, TensorValue> copies = new LinkedHashMap<>();
    inputs.forEach((name, value) -> copies.put(name, copy(value)));
    ByteBuffer[] data = queue.ports.check(copies);
    int[] wanted = queue.ports.wanted(request);
    queue.ports.requireRoom(wanted, rows);
    return new Pending(
        scheduler,
        telling,
        queue,
        request,
        data,
        wanted,
        rows,
        System.nanoTime(),
        0,
        !request.rows().isEmpty(),
        true);
  }

  /** The client's memory may be gone when the copy is computed. */
  private static TensorValue copy(TensorValue value) {
    ByteBuffer data = value.data();
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    return new TensorValue(value.type(), value.shape(), ByteBuffer.wrap(bytes));
  }

  private void compare(
      VersionQueue queue,
      int rows,
      InferenceResponse response,
      InferenceResponse shadow,
      Throwable error) {
    if (response == null) {
      return; // the client got no answer to compare with
    }
    double difference = 0;
    int agreeing = 0;
    String why = error == null ? "" : String.valueOf(error.getMessage());
    if (shadow != null) {
      boolean first = true;
      for (Map.Entry<String, TensorValue> e : response.outputs().entrySet()) {
        TensorValue other = shadow.outputs().get(e.getKey());
        if (other == null || !java.util.Arrays.equals(other.shape(), e.getValue().shape())) {
          why = "Output '" + e.getKey() + "' is " + e.getValue() + " and " + other;
          difference = Double.NaN;
        } else if (e.getValue().type() == ElementType.FLOAT32
            && other.type() == ElementType.FLOAT32) {
          difference = greater(difference, difference(e.getValue(), other));
          agreeing = first ? agreeing(e.getValue(), other) : agreeing;
        }
        first = false;
      }
    }
    telling.compared(
        new ShadowComparison(
            queue.version.name(),
            response.version(),
            queue.version.version(),
            rows,
            difference,
            agreeing,
            why));
  }

  private static double greater(double a, double b) {
    return Double.isNaN(a) || Double.isNaN(b) ? Double.NaN : Math.max(a, b);
  }

  private static double difference(TensorValue a, TensorValue b) {
    FloatBuffer x = a.data().asFloatBuffer();
    FloatBuffer y = b.data().asFloatBuffer();
    double most = 0;
    while (x.hasRemaining()) {
      float p = x.get();
      float q = y.get();
      if (Float.compare(p, q) != 0) {
        most = greater(most, Math.abs((double) p - q));
      }
    }
    return most;
  }

  private static int agreeing(TensorValue a, TensorValue b) {
    FloatBuffer x = a.data().asFloatBuffer();
    FloatBuffer y = b.data().asFloatBuffer();
    int rows = (int) a.rows();
    int width = rows == 0 ? 0 : x.remaining() / rows;
    int agreeing = 0;
    for (int row = 0; row < rows; row++) {
      agreeing += place(x, row * width, width) == place(y, row * width, width) ? 1 : 0;
    }
    return agreeing;
  }

  private static int place(FloatBuffer values, int from, int width) {
    if (width == 1) {
      return values.get(from) > 0.5f ? 1 : 0;
    }
    int best = 0;
    for (int i = 1; i < width; i++) {
      best = values.get(from + i) > values.get(from + best) ? i : best;
    }
    return best;
  }
}
