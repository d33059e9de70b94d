package dev.crema.serving.batching;

import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import io.opentelemetry.context.Context;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A request that waits or is being computed, in parts if it is bigger than a batch. Cancelling it
 * takes it out of its queue; what else completes it from outside has it dropped when its turn
 * comes. Its end is told once. Holds a lease of its version until no part of it is left.
 */
final class Pending extends CompletableFuture<InferenceResponse> {
  final InferenceRequest request;
  final VersionQueue queue;
  final ByteBuffer[] inputs;
  final int[] wanted;
  final int rows;
  final long arrived; // System.nanoTime
  final long sequence;
  final boolean byRows; // came as rows of a table
  final boolean shadow;
  final Context context; // the span in which it came; null for none

  /** First row that no batch has yet; guarded by the scheduler's lock. */
  int next;

  private final Scheduler scheduler;
  private final Telling telling;
  private final AtomicBoolean told = new AtomicBoolean();
  private final AtomicInteger holds = new AtomicInteger(1); // the queue's, and one a part
  private int uncomputed;
  private byte[][] outputs; // made when first needed
  private long queued = -1;
  private long assembly;
  private long compute;
  private int batch;

  /** Takes over a lease of the queue's version. */
  Pending(
      Scheduler scheduler,
      Telling telling,
      VersionQueue queue,
      InferenceRequest request,
      ByteBuffer[] inputs,
      int[] wanted,
      int rows,
      long arrived,
      long sequence,
      boolean byRows,
      boolean shadow) {
    this.scheduler = scheduler;
    this.telling = telling;
    this.queue = queue;
    this.request = request;
    this.inputs = inputs;
    this.wanted = wanted;
    this.rows = rows;
    this.arrived = arrived;
    this.sequence = sequence;
    this.byRows = byRows;
    this.shadow = shadow;
    this.context = Context.current() == Context.root() ? null : Context.current();
    this.uncomputed = rows;
  }

  int left() {
    return rows - next;
  }

  /** Of its inputs. */
  long bytes() {
    long bytes = 0;
    for (ByteBuffer input : inputs) {
      bytes += input.remaining();
    }
    return bytes;
  }

  void hold() {
    holds.incrementAndGet();
  }

  void letGo() {
    if (holds.decrementAndGet() == 0) {
      queue.version.release();
    }
  }

  /** Answers it, unless its client has given it up. */
  private void succeed(InferenceResponse response) {
    if (told.compareAndSet(false, true) && !shadow) {
      long nanos = System.nanoTime() - arrived;
      if (isDone()) {
        telling.refused(request, givenUp(), nanos, context);
      } else {
        telling.answered(request, response, nanos, context);
      }
    }
    complete(response);
  }

  /** Refuses it. */
  void fail(ServingException why) {
    if (told.compareAndSet(false, true) && !shadow) {
      long nanos = System.nanoTime() - arrived;
      telling.refused(request, isDone() ? givenUp() : why, nanos, context);
    }
    completeExceptionally(why);
  }

  private static ServingException givenUp() {
    return new ServingException(Code.CANCELLED, "The caller wants no answer any more");
  }

  /** Where the answer is gathered. */
  synchronized byte[][] outputs() {
    if (outputs == null) {
      outputs = queue.ports.room(wanted, rows);
    }
    return outputs;
  }

  /** A part of it has been computed; the last one answers it. */
  void computed(int part, long queuedNanos, long assemblyNanos, long computeNanos, int batchRows) {
    InferenceResponse.Timings timings;
    synchronized (this) {
      queued = queued < 0 ? queuedNanos : queued;
      assembly += assemblyNanos;
      compute += computeNanos;
      batch = Math.max(batch, batchRows);
      uncomputed -= part;
      if (uncomputed > 0) {
        return;
      }
      timings = new InferenceResponse.Timings(queued, assembly, compute, batch);
    }
    if (byRows) {
      Ports.restore(queue.version, wanted, outputs());
    }
    succeed(
        new InferenceResponse(
            request.id(),
            queue.version.name(),
            queue.version.version(),
            queue.ports.outputs(wanted, outputs(), rows),
            timings));
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
