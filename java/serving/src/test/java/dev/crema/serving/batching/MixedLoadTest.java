package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.execution.BatchSettings;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ServingException.Code;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import dev.crema.serving.repository.ModelSettings;
import dev.crema.serving.repository.TrafficSplit;
import dev.crema.serving.repository.VersionPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Good and bad requests, cancelled and late ones, a queue that is full, canary and shadow, versions
 * that change: each request gets the right answer or a reason, once, and nothing stays behind.
 */
class MixedLoadTest {
  private static final int CLIENTS = 6;
  private static final int BURSTS = 60;
  private static final int BURST = 12;

  @TempDir Path models;
  private final LongAdder received = new LongAdder();
  private final LongAdder ended = new LongAdder();
  private final Map<Code, LongAdder> refused = new ConcurrentHashMap<>();

  private final ServingListener listener =
      new ServingListener() {
        @Override
        public void received(InferenceRequest request) {
          received.increment();
        }

        @Override
        public void answered(InferenceRequest request, InferenceResponse response, long nanos) {
          ended.increment();
        }

        @Override
        public void refused(InferenceRequest request, ServingException why, long nanos) {
          ended.increment();
          refused.computeIfAbsent(why.code(), c -> new LongAdder()).increment();
        }
      };

  @Test
  void eachRequestEndsOnceAndRight() throws Exception {
    Served.adder(models, "adder", 1);
    Served.adder(models, "adder", 2);
    ModelSettings settings =
        ModelSettings.DEFAULT
            .withPolicy(VersionPolicy.all())
            .withLabels(Map.of("stable", 1L, "canary", 2L))
            .withTraffic(new TrafficSplit("canary", 30, "canary", 20))
            .withBatching(BatchSettings.DEFAULT.withMaximumBatch(8).withQueueCapacity(24));
    ModelRepository repository =
        ModelRepository.of(models).settings(settings).pollInterval(Duration.ofMillis(10)).open();
    BatchingInference inference =
        new BatchingInference(repository, listener, 2, Duration.ofSeconds(30));
    int threads = Thread.activeCount();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    List<Future<?>> running = new ArrayList<>();
    for (int c = 0; c < CLIENTS; c++) {
      SplittableRandom random = new SplittableRandom(c);
      running.add(clients.submit(() -> client(inference, random)));
    }
    while (running.stream().anyMatch(f -> !f.isDone())) {
      Served.adder(models, "adder", 1);
      Served.adder(models, "adder", 2);
      Thread.sleep(10);
    }
    for (Future<?> client : running) {
      client.get();
    }
    clients.shutdown();
    assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + CLIENTS);
    inference.close();
    repository.close();
    assertThat(ended.sum()).isEqualTo(received.sum()).isEqualTo((long) CLIENTS * BURSTS * BURST);
    assertThat(refused.keySet())
        .contains(Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.DEADLINE_EXCEEDED)
        .doesNotContain(Code.INTERNAL, Code.UNAVAILABLE);
  }

  private static void client(BatchingInference inference, SplittableRandom random) {
    for (int burst = 0; burst < BURSTS; burst++) {
      List<CompletableFuture<InferenceResponse>> answers = new ArrayList<>();
      List<float[]> examples = new ArrayList<>();
      List<Integer> kinds = new ArrayList<>();
      for (int i = 0; i < BURST; i++) {
        int kind = random.nextInt(20);
        int rows = 1 + random.nextInt(random.nextInt(10) == 0 ? 30 : 3);
        float[] x = Served.whole(random.nextLong(), rows * Served.FEATURES);
        kinds.add(kind);
        examples.add(x);
        answers.add(inference.infer(request(kind, x, rows, random)));
        if (kind == 3) {
          answers.get(i).cancel(true);
        }
      }
      for (int i = 0; i < BURST; i++) {
        check(kinds.get(i), examples.get(i), answers.get(i));
      }
    }
  }

  private static InferenceRequest request(int kind, float[] x, int rows, SplittableRandom random) {
    InferenceRequest good = Served.request("adder", x, rows);
    String protocol = random.nextBoolean() ? "oip-rest" : "embedded";
    return switch (kind) {
      case 0 -> Served.request("adder", new float[rows * 3], rows);
      case 1 -> Served.request(ModelReference.version("adder", 77), x, rows);
      case 2 -> Served.request(good, "late", System.nanoTime() - 1, 0, protocol);
      default -> Served.request(good, "", InferenceRequest.NO_DEADLINE, kind % 3, protocol);
    };
  }

  private static void check(int kind, float[] x, CompletableFuture<InferenceResponse> answer) {
    Code expected =
        switch (kind) {
          case 0 -> Code.INVALID_ARGUMENT;
          case 1 -> Code.NOT_FOUND;
          case 2 -> Code.DEADLINE_EXCEEDED;
          default -> null;
        };
    try {
      InferenceResponse response = answer.join();
      assertThat(expected).as("what should have been refused").isNull();
      float[] y = Served.output(response);
      assertThat(y).hasSize(x.length / Served.FEATURES);
      for (int row = 0; row < y.length; row++) {
        float sum = 1000 * response.version();
        for (int f = 0; f < Served.FEATURES; f++) {
          sum += x[row * Served.FEATURES + f];
        }
        assertThat(y[row]).isEqualTo(sum);
      }
    } catch (CancellationException e) {
      assertThat(kind).isEqualTo(3);
    } catch (CompletionException e) {
      Code code = ((ServingException) e.getCause()).code();
      assertThat(code).isEqualTo(expected == null ? Code.RESOURCE_EXHAUSTED : expected);
    }
  }
}
