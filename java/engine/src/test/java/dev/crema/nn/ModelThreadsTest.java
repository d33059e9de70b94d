package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ModelThreadsTest {
  private static final int THREADS = 8;

  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  @AfterEach
  void allThreadsEnd() throws InterruptedException {
    threads.shutdown();
    assertThat(threads.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
  }

  private static Model model() {
    return Model.sequential(20)
        .dense(64, Activation.RELU)
        .dense(64, Activation.RELU)
        .dense(5)
        .build(7);
  }

  private static float[] example(int seed) {
    float[] x = new float[20];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) Math.sin(seed * 31 + i);
    }
    return x;
  }

  private <T> List<Future<T>> everywhere(Callable<T> task) {
    List<Future<T>> futures = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      futures.add(threads.submit(task));
    }
    return futures;
  }

  @Test
  void manyThreadsPredictTheSameBits() throws Exception {
    try (Model model = model()) {
      float[][] expected = new float[50][];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = model.predict(example(i));
      }
      List<Future<Void>> all =
          everywhere(
              () -> {
                for (int round = 0; round < 40; round++) {
                  for (int i = 0; i < expected.length; i++) {
                    assertThat(model.predict(example(i))).isEqualTo(expected[i]);
                  }
                }
                return null;
              });
      for (Future<Void> f : all) {
        f.get();
      }
    }
  }

  @Test
  void aModelMayBeClosedWhileOthersPredict() throws Exception {
    for (int round = 0; round < 30; round++) {
      Model model = model();
      CountDownLatch running = new CountDownLatch(THREADS);
      List<Future<Integer>> all =
          everywhere(
              () -> {
                int predictions = 0;
                boolean counted = false;
                try {
                  while (true) {
                    float[] y = model.predict(example(predictions));
                    assertThat(y).hasSize(5);
                    predictions++;
                    if (!counted) {
                      running.countDown();
                      counted = true;
                    }
                  }
                } catch (IllegalStateException e) {
                  return predictions;
                }
              });
      assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
      model.close();
      for (Future<Integer> f : all) {
        assertThat(f.get()).isPositive();
      }
    }
  }

  @Test
  void manyThreadsMayCloseOneModel() throws Exception {
    for (int round = 0; round < 50; round++) {
      Model model = model();
      Predictor predictor = model.predictor(2);
      CountDownLatch start = new CountDownLatch(1);
      List<Future<Void>> all =
          everywhere(
              () -> {
                start.await();
                predictor.close();
                model.close();
                return null;
              });
      start.countDown();
      for (Future<Void> f : all) {
        f.get();
      }
    }
  }

  @Test
  void parametersAreReadWhileTheModelIsClosed() throws Exception {
    for (int round = 0; round < 50; round++) {
      Model model = model();
      float[] expected = model.get("dense_2/kernel");
      CountDownLatch running = new CountDownLatch(THREADS);
      List<Future<Void>> all =
          everywhere(
              () -> {
                running.countDown();
                try {
                  while (true) {
                    assertThat(model.get("dense_2/kernel")).isEqualTo(expected);
                    model.set("dense_2/kernel", expected);
                  }
                } catch (IllegalStateException e) {
                  return null;
                }
              });
      assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
      model.close();
      for (Future<Void> f : all) {
        f.get();
      }
    }
  }

  @Test
  void aSecondThreadIsToldThatAPredictorIsInUse() throws Exception {
    try (Model model = model();
        Predictor predictor = model.predictor(64)) {
      AtomicInteger refused = new AtomicInteger();
      AtomicInteger done = new AtomicInteger();
      CountDownLatch start = new CountDownLatch(1);
      List<Future<Void>> all =
          everywhere(
              () -> {
                start.await();
                for (int i = 0; i < 2000; i++) {
                  try {
                    predictor.predict(new float[64 * 20], new float[64 * 5], 64);
                    done.incrementAndGet();
                  } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("in use on another thread");
                    refused.incrementAndGet();
                  }
                }
                return null;
              });
      start.countDown();
      for (Future<Void> f : all) {
        f.get();
      }
      assertThat(done.get()).isPositive();
      assertThat(done.get() + refused.get()).isEqualTo(THREADS * 2000);
    }
  }
}
