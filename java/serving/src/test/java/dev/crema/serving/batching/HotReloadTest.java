package dev.crema.serving.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.memory.Buffer;
import dev.crema.serving.Served;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Versions change under requests: every answer is one version's, none is lost. */
class HotReloadTest {
  private static final int CLIENTS = 8;
  private static final int SWAPS = 40;

  @TempDir Path models;

  @Test
  void everyAnswerIsThatOfTheVersionItNames() throws Exception {
    Served.adder(models, "adder", 1);
    try (ModelRepository repository =
            ModelRepository.of(models).pollInterval(Duration.ofMillis(10)).open();
        BatchingInference inference = new BatchingInference(repository, new ServingListener() {})) {
      AtomicBoolean stop = new AtomicBoolean();
      AtomicLong answered = new AtomicLong();
      ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
      List<Future<?>> running = new ArrayList<>();
      for (int c = 0; c < CLIENTS; c++) {
        long seed = c;
        running.add(clients.submit(() -> ask(inference, seed, stop, answered)));
      }
      long early = 0;
      long late = 0;
      int threads = 0;
      for (int swap = 0; swap < SWAPS; swap++) {
        // Sometimes a new version, sometimes other files of the one that serves.
        Served.adder(models, "adder", 1 + swap / 2);
        Thread.sleep(20);
        if (swap < SWAPS / 2) {
          early = Math.max(early, Buffer.allocatedBytes());
          threads = Math.max(threads, Thread.activeCount());
        } else {
          late = Math.max(late, Buffer.allocatedBytes());
        }
      }
      int threadsAfter = Thread.activeCount();
      stop.set(true);
      for (Future<?> client : running) {
        client.get();
      }
      clients.shutdown();
      assertThat(answered.get()).isPositive();
      // Each swap that kept its memory would add as much again.
      assertThat(late).isLessThanOrEqualTo(2 * early);
      assertThat(threadsAfter).isLessThanOrEqualTo(threads);
      assertThat(repository.resolve(ModelReference.of("adder")).version()).isGreaterThan(1);
    }
  }

  private static void ask(
      BatchingInference inference, long seed, AtomicBoolean stop, AtomicLong answered) {
    for (int i = 0; !stop.get(); i++) {
      int rows = 1 + (int) ((seed + i) % 150);
      float[] x = Served.whole(seed * 100_000 + i, rows * Served.FEATURES);
      List<CompletableFuture<InferenceResponse>> several = new ArrayList<>();
      for (int k = 0; k < 3; k++) {
        several.add(inference.infer(Served.request(ModelReference.of("adder"), x, rows)));
      }
      for (CompletableFuture<InferenceResponse> future : several) {
        InferenceResponse response = future.join();
        float[] y = Served.output(response);
        assertThat(y).hasSize(rows);
        for (int r = 0; r < rows; r++) {
          float sum = 1000 * response.version();
          for (int f = 0; f < Served.FEATURES; f++) {
            sum += x[r * Served.FEATURES + f];
          }
          if (y[r] != sum) {
            throw new AssertionError(
                "Row " + r + " of version " + response.version() + ": " + y[r] + ", not " + sum);
          }
        }
        answered.incrementAndGet();
      }
    }
  }
}
