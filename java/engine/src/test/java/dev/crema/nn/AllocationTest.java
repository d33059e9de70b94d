package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.crema.compress.Quantizer;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

class AllocationTest {
  private static final int PREDICTIONS = 10_000;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /**
   * What the work allocates once the JVM has compiled it: the least of several rounds, less what
   * asking for the number allocates itself.
   */
  private static long allocated(Runnable work) {
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 5; round++) {
      least = Math.min(least, once(work) - once(() -> {}));
    }
    return least;
  }

  private static long once(Runnable work) {
    long thread = Thread.currentThread().getId();
    long before = THREADS.getThreadAllocatedBytes(thread);
    work.run();
    return THREADS.getThreadAllocatedBytes(thread) - before;
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
      assertThat(allocated(work)).isZero();
    }
  }

  @Test
  void predictionsWithQuantizedWeightsAllocateNothingEither() {
    for (Quantizer q : List.of(Quantizer.dynamic(), Quantizer.weightOnly(4, 32))) {
      try (Model model = model();
          Model quantized = q.always().quantize(model);
          Predictor predictor = quantized.predictor(8)) {
        float[] x = new float[8 * 100];
        float[] y = new float[8 * 10];
        Runnable work =
            () -> {
              for (int i = 0; i < PREDICTIONS; i++) {
                predictor.predict(x, y, i & 7);
              }
            };
        assertThat(allocated(work)).isZero();
      }
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
      assertThat(allocated(work)).isZero();
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
      long result = 16 + 4 * 10; // header and ten floats
      assertThat(allocated(work)).isLessThanOrEqualTo(PREDICTIONS * result);
    }
  }
}
