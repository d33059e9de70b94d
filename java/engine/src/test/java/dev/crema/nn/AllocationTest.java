package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class AllocationTest {
  /** Bytes that the JVM itself allocates now and then: far below one a prediction. */
  private static final long NOISE = 1_000;

  private static final int PREDICTIONS = 10_000;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static long allocated(Runnable work) {
    long thread = Thread.currentThread().getId();
    long before = THREADS.getThreadAllocatedBytes(thread);
    work.run();
    return THREADS.getThreadAllocatedBytes(thread) - before;
  }

  /** What asking for the number itself allocates. */
  private static long overhead() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 100; i++) {
      least = Math.min(least, allocated(() -> {}));
    }
    return least;
  }

  private static Model model() {
    return Model.of(BuiltIn.topology("seed-mlp", new long[] {100}, BuiltIn.Output.VALUES, 10), 1);
  }

  @Test
  void predictionsThroughAPredictorAllocateNothing() {
    try (Model model = model();
        Predictor predictor = model.predictor(8)) {
      float[] x = new float[8 * 100];
      float[] y = new float[8 * 10];
      Runnable work =
          () -> {
            for (int i = 0; i < PREDICTIONS; i++) {
              predictor.predict(x, y, i & 7);
            }
          };
      work.run();
      assertThat(allocated(work) - overhead()).isLessThan(NOISE);
    }
  }

  @Test
  void severalInputsAllocateNothingEither() {
    try (Model model = model();
        Predictor predictor = model.predictor(1)) {
      float[] x = new float[100];
      float[] y = new float[10];
      Runnable work =
          () -> {
            for (int i = 0; i < PREDICTIONS; i++) {
              predictor.write("x", x, 1);
              predictor.run(1);
              predictor.read(0, y, 1);
            }
          };
      work.run();
      assertThat(allocated(work) - overhead()).isLessThan(NOISE);
    }
  }

  @Test
  void aModelsPredictionAllocatesItsResultOnly() {
    try (Model model = model()) {
      float[] x = new float[100];
      float[][] kept = new float[1][];
      Runnable work =
          () -> {
            for (int i = 0; i < PREDICTIONS; i++) {
              kept[0] = model.predict(x);
            }
          };
      work.run();
      long result = 16 + 4 * 10; // header and ten floats
      assertThat(allocated(work) - overhead()).isLessThan(PREDICTIONS * result + NOISE);
    }
  }
}
