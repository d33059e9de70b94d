package dev.crema.serving.batching;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.Inference;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.LoadedVersion;
import dev.crema.serving.repository.ModelRepository;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers requests with the models of a repository. While nothing waits and a processor is free, a
 * request is computed at once on the thread that brings it; otherwise it joins a batch with others
 * for the same version, as the model's {@code BatchSettings} say. Requests of higher priority leave
 * the queue first; those whose deadline has passed are dropped before they cost anything; models
 * share the processors evenly. Cancelling a future takes its request out of the queue.
 *
 * <p>Thread-safe. Whoever makes it closes it, before the repository.
 */
public final class BatchingInference implements Inference, AutoCloseable {
  /**
   * Nanoseconds that a network thread may compute by itself. To hand over to a worker costs some
   * tens of microseconds, which more than this hides, and others wait for the thread meanwhile.
   */
  private static final long MOST_ON_NETWORK_THREAD = 200_000;

  private static final Logger LOG = LoggerFactory.getLogger(BatchingInference.class);
  private static final String EMBEDDED = "embedded";

  private final ModelRepository models;
  private final Telling telling;
  private final BatchComputation computation;
  private final Scheduler scheduler;
  private final Shadows shadows;
  private final Duration drain;
  private final ConcurrentHashMap<LoadedVersion, VersionQueue> queues = new ConcurrentHashMap<>();
  private final AtomicLong sequence = new AtomicLong();
  private volatile boolean closed;

  /** With as many batches at once as there are processors. */
  public BatchingInference(ModelRepository models, ServingListener listener) {
    this(models, listener, Runtime.getRuntime().availableProcessors(), Duration.ofSeconds(30));
  }

  /**
   * @param processors how many batches are computed at once
   * @param drain how long {@link #close} waits for what has been taken on
   */
  public BatchingInference(
      ModelRepository models, ServingListener listener, int processors, Duration drain) {
    this.models = Objects.requireNonNull(models, "models");
    this.telling = new Telling(Objects.requireNonNull(listener, "listener"));
    this.drain = Objects.requireNonNull(drain, "drain");
    if (processors < 1) {
      throw new IllegalArgumentException("At least one processor computes, got " + processors);
    }
    this.computation = new BatchComputation(telling);
    this.scheduler = new Scheduler(processors, new Batches(), BatchingInference::late);
    this.shadows = new Shadows(scheduler, telling);
  }

  /** What the scheduler's workers do. */
  private final class Batches implements Scheduler.Computation {
    @Override
    public void compute(VersionQueue queue, List<VersionQueue.Part> batch) {
      try {
        computation.compute(queue, batch);
      } finally {
        BatchComputation.letGo(batch);
      }
    }

    @Override
    public void left(VersionQueue queue, int requests) {
      if (!queue.shadow) {
        telling.queued(queue, requests);
      }
    }
  }

  /** A request has left its queue without having been computed. */
  private static void late(Pending pending) {
    pending.fail(
        new ServingException(
            Code.DEADLINE_EXCEEDED,
            "The deadline passed while the request waited for "
                + pending.queue.version
                + ", "
                + (System.nanoTime() - pending.arrived) / 1_000_000
                + " ms"));
  }

  @Override
  public CompletableFuture<InferenceResponse> infer(InferenceRequest request) {
    Objects.requireNonNull(request, "request");
    long arrived = System.nanoTime();
    telling.received(request);
    try {
      if (closed) {
        throw Scheduler.closed();
      }
      LoadedVersion version = models.acquire(request.model(), request.id());
      boolean held = true;
      try {
        VersionQueue queue = queue(version);
        Map<String, TensorValue> given = inputs(version, request);
        ByteBuffer[] inputs = queue.ports.check(given);
        int rows = (int) given.values().iterator().next().rows();
        int[] wanted = queue.ports.wanted(request);
        requireTime(request, arrived);
        boolean byRows = !request.rows().isEmpty();
        InferenceRequest computed = byRows ? request.withInputs(given) : request;
        CompletableFuture<InferenceResponse> answer;
        if (rows <= queue.most() && mayCompute(queue, request, rows)) {
          answer = atOnce(queue, computed, inputs, wanted, rows, byRows, arrived);
        } else {
          answer = enqueue(queue, computed, inputs, wanted, rows, byRows, arrived);
          held = false;
        }
        shadow(request, given, rows, answer);
        return answer;
      } finally {
        if (held) {
          version.release();
        }
      }
    } catch (ServingException e) {
      telling.refused(request, e, System.nanoTime() - arrived);
      return CompletableFuture.failedFuture(e);
    } catch (RuntimeException e) {
      LOG.warn("A request for {} failed", request.model(), e);
      ServingException why =
          new ServingException(Code.INTERNAL, "The request failed: " + e, null, e);
      telling.refused(request, why, System.nanoTime() - arrived);
      return CompletableFuture.failedFuture(why);
    }
  }

  private static Map<String, TensorValue> inputs(LoadedVersion version, InferenceRequest request) {
    if (request.rows().isEmpty()) {
      return request.inputs();
    }
    if (!request.inputs().isEmpty()) {
      throw ServingException.invalidArgument("A request gives inputs or rows, not both");
    }
    return Map.of(version.signature().inputs().get(0).name(), version.encode(request.rows()));
  }

  private static void requireTime(InferenceRequest request, long now) {
    boolean bounded = request.deadlineNanos() != InferenceRequest.NO_DEADLINE;
    if (bounded && request.deadlineNanos() - now <= 0) {
      throw new ServingException(
          Code.DEADLINE_EXCEEDED, "The request's deadline had passed when it came");
    }
  }

  private boolean mayCompute(VersionQueue queue, InferenceRequest request, int rows) {
    boolean quick =
        request.protocol().equals(EMBEDDED) || queue.nanos(rows) <= MOST_ON_NETWORK_THREAD;
    return quick && scheduler.tryEnter();
  }

  private CompletableFuture<InferenceResponse> atOnce(
      VersionQueue queue,
      InferenceRequest request,
      ByteBuffer[] inputs,
      int[] wanted,
      int rows,
      boolean byRows,
      long arrived) {
    InferenceResponse response;
    try {
      response = computation.alone(queue, request, inputs, wanted, rows, byRows, arrived);
    } finally {
      scheduler.leave();
    }
    telling.answered(request, response, System.nanoTime() - arrived);
    return CompletableFuture.completedFuture(response);
  }

  private Pending enqueue(
      VersionQueue queue,
      InferenceRequest request,
      ByteBuffer[] inputs,
      int[] wanted,
      int rows,
      boolean byRows,
      long arrived) {
    queue.ports.requireRoom(wanted, rows);
    Pending pending =
        new Pending(
            scheduler,
            telling,
            queue,
            request,
            inputs,
            wanted,
            rows,
            arrived,
            sequence.incrementAndGet(),
            byRows,
            false);
    telling.queued(queue, scheduler.add(pending));
    return pending;
  }

  private void shadow(
      InferenceRequest request,
      Map<String, TensorValue> given,
      int rows,
      CompletableFuture<InferenceResponse> answer) {
    LoadedVersion version = models.acquireShadow(request.model(), request.id());
    if (version != null) {
      shadows.copy(version, request, given, rows, answer);
    }
  }

  private VersionQueue queue(LoadedVersion version) {
    VersionQueue queue = queues.get(version);
    if (queue == null) {
      queues.keySet().removeIf(LoadedVersion::isClosed); // as versions come, others have gone
      queue = queues.computeIfAbsent(version, v -> new VersionQueue(v, false));
    }
    return queue;
  }

  /** How much waits for each version that has been asked for. */
  public List<QueueStatus> queues() {
    List<QueueStatus> all = new ArrayList<>();
    scheduler.locked(
        () ->
            queues.forEach(
                (version, queue) -> {
                  if (!version.isClosed()) {
                    all.add(
                        new QueueStatus(
                            version.name(),
                            version.version(),
                            queue.waitingRequests(),
                            queue.waitingRows(),
                            queue.computing(),
                            version.inUse()));
                  }
                }));
    return all;
  }

  /** Takes nothing more and answers what it has taken on; what lasts too long is refused. */
  @Override
  public void close() {
    closed = true;
    scheduler.close(drain).forEach(pending -> pending.fail(Scheduler.closed()));
  }
}
