package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.Embedding;
import dev.crema.nn.Flatten;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import dev.crema.serving.repository.ModelSettings;
import dev.crema.serving.repository.VersionStatus;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One processor, held by a first request, so that it is known what waits. */
class SchedulingTest {
  private static final long NEVER = InferenceRequest.NO_DEADLINE;

  @TempDir Path models;
  private final Gate gate = new Gate();
  private ModelRepository repository;
  private BatchingInference inference;
  private CompletableFuture<InferenceResponse> first;

  private void start(BatchSettings batching) {
    start(batching, Duration.ofSeconds(30));
  }

  private void start(BatchSettings batching, Duration drain) {
    Served.adder(models, "a", 1);
    Served.adder(models, "b", 1);
    repository =
        ModelRepository.of(models)
            .pollInterval(Duration.ZERO)
            .settings(ModelSettings.DEFAULT.withBatching(batching))
            .open();
    inference = new BatchingInference(repository, gate, 1, drain);
  }

  /** Has the only processor held by a request that will be answered 1001. */
  private void hold() {
    first = CompletableFuture.supplyAsync(() -> inference.infer(request("a", "first", 0)).join());
    gate.awaitHeld();
  }

  @AfterEach
  void close() {
    gate.open();
    if (inference != null) {
      inference.close();
      repository.close();
    }
  }

  /** Of one example. */
  private static InferenceRequest request(String model, String id, int priority) {
    return Served.request(
        Served.request(model, new float[] {1, 0, 0, 0}, 1), id, NEVER, priority, "oip-rest");
  }

  private List<CompletableFuture<InferenceResponse>> ask(String model, int count) {
    List<CompletableFuture<InferenceResponse>> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(inference.infer(request(model, model + i, 0)));
    }
    return all;
  }

  private void answered(List<CompletableFuture<InferenceResponse>> all) {
    all.forEach(future -> assertThat(Served.output(join(future))).containsExactly(1001));
  }

  private static InferenceResponse join(CompletableFuture<InferenceResponse> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  private static ServingException refusal(CompletableFuture<InferenceResponse> future) {
    try {
      join(future);
    } catch (CompletionException e) {
      return (ServingException) e.getCause();
    }
    throw new AssertionError("It was answered");
  }

  @Test
  void whatComesWhileTheProcessorIsBusyBecomesOneBatch() {
    start(BatchSettings.DEFAULT);
    hold();
    var waiting = ask("a", 5);
    assertThat(inference.queues().get(0).requests()).isEqualTo(5);
    gate.open();
    answered(waiting);
    answered(List.of(first));
    assertThat(join(waiting.get(0)).timings().batch()).isEqualTo(5);
    assertThat(join(waiting.get(0)).timings().queue()).isPositive();
    assertThat(gate.batches.get(1)).isEqualTo(new Gate.Batch("a", 5, 5, "crema-batch-0"));
    assertThat(gate.received).hasSize(6);
    assertThat(gate.answered).hasSize(6);
  }

  @Test
  void anIdleServerAnswersOnTheThreadThatAsks() {
    start(BatchSettings.DEFAULT.withMaximumDelay(Duration.ofMinutes(5)));
    gate.open();
    answered(ask("a", 1));
    answered(ask("a", 1));
    assertThat(gate.batches)
        .extracting(Gate.Batch::thread)
        .containsOnly(Thread.currentThread().getName());
  }

  @Test
  void batchesAreNoBiggerThanAskedFor() {
    start(BatchSettings.DEFAULT.withMaximumBatch(3));
    hold();
    var waiting = ask("a", 8);
    gate.open();
    answered(waiting);
    assertThat(gate.batches).extracting(Gate.Batch::examples).containsExactly(1, 3, 3, 2);
  }

  @Test
  void preferredSizesAreFilled() {
    start(BatchSettings.DEFAULT.withPreferredSizes(List.of(4, 2)));
    hold();
    var waiting = ask("a", 7);
    gate.open();
    answered(waiting);
    assertThat(gate.batches).extracting(Gate.Batch::examples).containsExactly(1, 4, 2, 1);
  }

  @Test
  void afterACrowdABatchWaitsToFill() {
    start(BatchSettings.DEFAULT.withMaximumBatch(4).withMaximumDelay(Duration.ofMinutes(5)));
    hold();
    var crowd = ask("a", 6);
    gate.open();
    answered(crowd.subList(0, 4));
    assertThat(crowd.subList(4, 6)).noneMatch(CompletableFuture::isDone);
    var more = ask("a", 2); // which fill it
    answered(crowd);
    answered(more);
    assertThat(gate.batches).extracting(Gate.Batch::examples).containsExactly(1, 4, 4);
  }

  @Test
  void aFullQueueRefusesAndSaysWhenToComeAgain() {
    start(BatchSettings.DEFAULT.withQueueCapacity(4));
    hold();
    var waiting = ask("a", 4);
    ServingException refused = refusal(inference.infer(request("a", "too many", 0)));
    assertThat(refused.code()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    assertThat(refused.retryAfter()).get().satisfies(t -> assertThat(t).isPositive());
    assertThat(refused)
        .hasMessageStartingWith("The queue of a version 1 is full: 4 examples wait, 4 may");
    var other = ask("b", 1);
    gate.open();
    answered(waiting);
    answered(other);
    assertThat(gate.refused).containsExactly(Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void aRequestBiggerThanTheQueueIsTakenWhenNothingWaits() {
    start(BatchSettings.DEFAULT.withQueueCapacity(4).withMaximumBatch(2));
    hold();
    float[] x = new float[7 * Served.FEATURES];
    var big = inference.infer(Served.request("a", x, 7));
    assertThat(refusal(inference.infer(request("a", "", 0))).code())
        .isEqualTo(Code.RESOURCE_EXHAUSTED);
    gate.open();
    assertThat(Served.output(join(big))).hasSize(7).containsOnly(1000);
  }

  @Test
  void higherPrioritiesGoFirst() {
    start(BatchSettings.DEFAULT.withMaximumBatch(1));
    hold();
    List<CompletableFuture<InferenceResponse>> waiting = new ArrayList<>();
    for (int priority : new int[] {0, 5, -3, 5, 9}) {
      waiting.add(inference.infer(request("a", "p" + priority, priority)));
    }
    gate.open();
    answered(waiting);
    assertThat(gate.answered)
        .filteredOn(id -> id.startsWith("p"))
        .containsExactly("p9", "p5", "p5", "p0", "p-3");
  }

  @Test
  void whatWaitsTooLongIsDroppedBeforeItCostsAnything() {
    start(BatchSettings.DEFAULT);
    hold();
    long soon = System.nanoTime() + 1_000_000;
    var late =
        inference.infer(Served.request(request("a", "late", 0), "late", soon, 0, "oip-rest"));
    var patient = ask("a", 2);
    while (System.nanoTime() - soon <= 0) {
      Thread.onSpinWait();
    }
    gate.open();
    assertThat(refusal(late).code()).isEqualTo(Code.DEADLINE_EXCEEDED);
    answered(patient);
    assertThat(gate.batches).extracting(Gate.Batch::examples).containsExactly(1, 2);
    assertThat(gate.refused).containsExactly(Code.DEADLINE_EXCEEDED);
  }

  @Test
  void aCancelledRequestLeavesTheQueue() {
    start(BatchSettings.DEFAULT.withQueueCapacity(2));
    hold();
    var waiting = ask("a", 2);
    assertThat(waiting.get(0).cancel(true)).isTrue();
    assertThat(inference.queues().get(0).requests()).isEqualTo(1);
    var more = ask("a", 1);
    gate.open();
    assertThatThrownBy(() -> waiting.get(0).join()).isInstanceOf(CancellationException.class);
    answered(List.of(waiting.get(1), more.get(0)));
    assertThat(gate.batches).extracting(Gate.Batch::examples).containsExactly(1, 2);
    assertThat(gate.refused).containsExactly(Code.CANCELLED);
  }

  @Test
  void whatItsCallerHasGivenUpIsNotComputed() {
    start(BatchSettings.DEFAULT);
    hold();
    var waiting = ask("a", 2);
    waiting.get(0).completeExceptionally(new IllegalStateException("given up"));
    gate.open();
    answered(List.of(waiting.get(1)));
    assertThat(gate.batches).extracting(Gate.Batch::examples).containsExactly(1, 1);
    assertThat(gate.refused).containsExactly(Code.CANCELLED);
  }

  @Test
  void oneModelDoesNotStarveAnother() {
    start(BatchSettings.DEFAULT.withMaximumBatch(1));
    hold();
    var flood = ask("a", 200);
    var few = ask("b", 2);
    gate.open();
    answered(few);
    answered(flood);
    List<String> order = gate.batches.stream().map(Gate.Batch::model).toList();
    // Held, "a" has used the processor for long: "b" comes before the rest of the flood.
    assertThat(order.lastIndexOf("b")).isLessThan(20);
  }

  @Test
  void whatFollowsAnAnswerMayAskAgainAndWait() {
    start(BatchSettings.DEFAULT);
    hold();
    var waiting = inference.infer(request("a", "one", 0));
    var two =
        waiting.thenApply(answer -> Served.output(join(inference.infer(request("b", "two", 0)))));
    var three = ask("a", 3);
    gate.open();
    assertThat(two.orTimeout(60, TimeUnit.SECONDS).join()).containsExactly(1001);
    answered(three);
  }

  @Test
  void whatHasExpiredMakesRoom() {
    start(BatchSettings.DEFAULT.withQueueCapacity(1));
    hold();
    long soon = System.nanoTime() + 1_000_000;
    var late = inference.infer(Served.request(request("a", "", 0), "late", soon, 0, "oip-rest"));
    while (System.nanoTime() - soon <= 0) {
      Thread.onSpinWait();
    }
    var next = ask("a", 1);
    assertThat(refusal(late).code()).isEqualTo(Code.DEADLINE_EXCEEDED);
    gate.open();
    answered(next);
  }

  @Test
  void anAnswerIsToldWithinTheSpanInWhichItsRequestCame() {
    start(BatchSettings.DEFAULT);
    hold();
    CompletableFuture<InferenceResponse> traced;
    try (Scope span = Context.current().with(Gate.TRACE, "trace-7").makeCurrent()) {
      assertThat(span).isNotNull();
      traced = inference.infer(request("a", "traced", 0));
    }
    var plain = ask("a", 1);
    gate.open();
    answered(List.of(traced, plain.get(0)));
    assertThat(gate.traces).containsEntry("traced", "trace-7").doesNotContainKey("a0");
  }

  @Test
  void aListenerThatFailsHarmsNobody() {
    Served.adder(models, "a", 1);
    repository = ModelRepository.of(models).pollInterval(Duration.ZERO).open();
    var failing =
        new ServingListener() {
          @Override
          public void answered(InferenceRequest request, InferenceResponse response, long nanos) {
            throw new AssertionError("answered");
          }

          @Override
          public void computed(String model, long version, int requests, int examples, long n) {
            throw new IllegalStateException("computed");
          }
        };
    inference = new BatchingInference(repository, failing, 1, Duration.ofSeconds(30));
    for (int i = 0; i < 3; i++) {
      answered(ask("a", 1));
      float[] big = new float[100 * Served.FEATURES]; // by a worker
      assertThat(Served.output(join(inference.infer(Served.request("a", big, 100)))))
          .containsOnly(1000);
    }
  }

  @Test
  void anAnswerMayCloseTheServer() {
    start(BatchSettings.DEFAULT);
    hold();
    var closed = inference.infer(request("a", "", 0)).thenAccept(answer -> inference.close());
    gate.open();
    closed.orTimeout(20, TimeUnit.SECONDS).join();
    assertThat(refusal(inference.infer(request("a", "", 0))).code()).isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void whatIsNoRequestIsRefused() {
    start(BatchSettings.DEFAULT);
    gate.open();
    var rows = new ArrayList<Map<String, String>>();
    rows.add(null);
    assertThat(refusal(inference.infer(InferenceRequest.ofRows(ModelReference.of("a"), rows))))
        .isNotNull();
    var missing = new HashMap<String, TensorValue>();
    missing.put("x", null);
    var request = InferenceRequest.of(ModelReference.of("a"), missing);
    assertThat(refusal(inference.infer(request)).code()).isEqualTo(Code.INVALID_ARGUMENT);
  }

  @Test
  void closingAnswersWhatWaits() throws Exception {
    start(BatchSettings.DEFAULT.withMaximumBatch(1));
    hold();
    var waiting = ask("a", 10);
    Thread closer = new Thread(inference::close);
    closer.start();
    while (refusal(inference.infer(request("nobody", "", 0))).code() != Code.UNAVAILABLE) {
      Thread.sleep(1);
    }
    gate.open();
    closer.join();
    assertThat(waiting).allSatisfy(future -> assertThat(future).isDone());
    answered(waiting);
    assertThat(refusal(inference.infer(request("a", "late", 0))).code())
        .isEqualTo(Code.UNAVAILABLE);
  }

  @Test
  void whatDrainsTooLongIsRefused() {
    start(BatchSettings.DEFAULT.withMaximumBatch(1), Duration.ofMillis(20));
    hold();
    var waiting = ask("a", 3);
    inference.close();
    assertThat(waiting).allSatisfy(f -> assertThat(refusal(f).code()).isEqualTo(Code.UNAVAILABLE));
    gate.open();
    answered(List.of(first));
  }

  @Test
  void unloadingAnswersWhatWaits() throws Exception {
    start(BatchSettings.DEFAULT.withMaximumBatch(1));
    hold();
    var waiting = ask("a", 4);
    Thread unloader = new Thread(() -> repository.unload("a"));
    unloader.start();
    while (repository.versions("a").get(0).state() == VersionStatus.State.AVAILABLE) {
      Thread.sleep(1);
    }
    assertThat(refusal(inference.infer(request("a", "", 0))).code()).isEqualTo(Code.UNAVAILABLE);
    gate.open();
    unloader.join();
    assertThat(waiting).allSatisfy(future -> assertThat(future).isDone());
    answered(waiting);
    answered(ask("b", 1));
  }

  @Test
  void valuesThatAKernelRefusesHarmNobodyElse() {
    Symbol ids = Symbol.input("ids", TensorType.batchOf(ElementType.INT32, 2));
    Symbol y = ids.then(Embedding.of(5, 1)).then(new Flatten());
    try (Model model = Model.of(List.of(ids), List.of(y), 1)) {
      model.set("embedding_1/table", new float[] {0, 1, 2, 3, 4});
      model.save(models.resolve("table").resolve("1"));
    }
    start(BatchSettings.DEFAULT);
    hold();
    var good = inference.infer(ids(1, 4));
    var bad = inference.infer(ids(1, 5));
    var alsoGood = inference.infer(ids(0, 2));
    gate.open();
    assertThat(Served.output(join(good))).containsExactly(1, 4);
    assertThat(Served.output(join(alsoGood))).containsExactly(0, 2);
    assertThat(refusal(bad).code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(refusal(inference.infer(ids(-1, 0))).code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(Served.output(join(inference.infer(ids(3, 3))))).containsExactly(3, 3);
  }

  private static InferenceRequest ids(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(bytes::putInt);
    TensorValue tensor =
        new TensorValue(ElementType.INT32, new long[] {1, values.length}, bytes.flip());
    return InferenceRequest.of(ModelReference.of("table"), Map.of("ids", tensor));
  }

  @Test
  void notANumberPassesThrough() {
    start(BatchSettings.DEFAULT);
    gate.open();
    float[] x = {1, 2, Float.NaN, 4, 1, 2, 3, 4};
    float[] y = Served.output(join(inference.infer(Served.request("a", x, 2))));
    assertThat(y).containsExactly(Float.NaN, 1010);
  }
}
