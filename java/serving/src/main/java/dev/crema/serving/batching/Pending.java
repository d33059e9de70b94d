package dev.crema.serving.batching;

import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import io.opentelemetry.context.Context;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A request that waits or is being computed, in parts if it is bigger than a batch. Cancelling it
 * takes it out of its queue. Holds a lease of its version until no part of it is left.
 */
final class Pending extends CompletableFuture<InferenceResponse> {
  final InferenceRequest request;
  final VersionQueue queue;
  final ByteBuffer[] inputs;
  final int[] wanted;
  final int rows;
  final long arrived; // System.nanoTime
  final long sequence;
  final boolean shadow;
  final Context context; // the span in which it came; null for none

  /** First row that no batch has yet; guarded by the scheduler's lock. */
  int next;

  private final Scheduler scheduler;
  private final AtomicInteger holds = new AtomicInteger(1); // the queue's, and one a part
  private final AtomicInteger uncomputed;
  private byte[][] outputs; // made when first needed
  private long queued = -1;
  private long assembly;
  private long compute;
  private int batch;

  /** Takes over a lease of the queue's version. */
  Pending(
      Scheduler scheduler,
      VersionQueue queue,
      InferenceRequest request,
      ByteBuffer[] inputs,
      int[] wanted,
      int rows,
      long arrived,
      long sequence,
      boolean shadow) {
    this.scheduler = scheduler;
    this.queue = queue;
    this.request = request;
    this.inputs = inputs;
    this.wanted = wanted;
    this.rows = rows;
    this.arrived = arrived;
    this.sequence = sequence;
    this.shadow = shadow;
    this.context = Context.current() == Context.root() ? null : Context.current();
    this.uncomputed = new AtomicInteger(rows);
  }

  int left() {
    return rows - next;
  }

  void hold() {
    holds.incrementAndGet();
  }

  void letGo() {
    if (holds.decrementAndGet() == 0) {
      queue.version.release();
    }
  }

  /** Where the answer is gathered. */
  synchronized byte[][] outputs() {
    if (outputs == null) {
      outputs = queue.ports.room(wanted, rows);
    }
    return outputs;
  }

  /** That part has been computed; the whole answer if it was the last. */
  synchronized InferenceResponse computed(
      int part, long queuedNanos, long assemblyNanos, long computeNanos, int batchRows) {
    queued = queued < 0 ? queuedNanos : queued;
    assembly += assemblyNanos;
    compute += computeNanos;
    batch = Math.max(batch, batchRows);
    if (uncomputed.addAndGet(-part) > 0) {
      return null;
    }
    return new InferenceResponse(
        request.id(),
        queue.version.name(),
        queue.version.version(),
        queue.ports.outputs(wanted, outputs(), rows),
        new InferenceResponse.Timings(queued, assembly, compute, batch));
  }

  @Override
  public boolean cancel(boolean mayInterruptIfRunning) {
    boolean cancelled = super.cancel(mayInterruptIfRunning);
    if (cancelled) {
      scheduler.cancelled(this);
    }
    return cancelled;
  }
}
