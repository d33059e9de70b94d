package dev.crema.serving.batching;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Holds whoever has computed the first batch until it is opened: what comes meanwhile has to wait.
 * Remembers what it is told.
 */
final class Gate implements ServingListener {
  static final ContextKey<String> TRACE = ContextKey.named("trace");

  /** Requests and examples that were computed together. */
  record Batch(String model, int requests, int examples, String thread) {}

  final List<Batch> batches = new CopyOnWriteArrayList<>();
  final List<String> answered = new CopyOnWriteArrayList<>();
  final List<ServingException.Code> refused = new CopyOnWriteArrayList<>();
  final Map<String, String> traces = new ConcurrentHashMap<>(); // by id of what was answered
  final List<String> received = new CopyOnWriteArrayList<>();
  private final CountDownLatch held = new CountDownLatch(1);
  private final CountDownLatch open = new CountDownLatch(1);

  @Override
  public void received(InferenceRequest request) {
    received.add(request.id());
  }

  @Override
  public void computed(String model, long version, int requests, int examples, long nanos) {
    batches.add(new Batch(model, requests, examples, Thread.currentThread().getName()));
    held.countDown();
    await(open);
  }

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    answered.add(request.id());
    String trace = Context.current().get(TRACE);
    if (trace != null) {
      traces.put(request.id(), trace);
    }
  }

  @Override
  public void refused(InferenceRequest request, ServingException why, long totalNanos) {
    refused.add(why.code());
  }

  void awaitHeld() {
    await(held);
  }

  void open() {
    open.countDown();
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(60, TimeUnit.SECONDS)) {
        throw new AssertionError("Nothing came for a minute");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
