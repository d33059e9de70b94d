package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.crema.CremaException;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class BatchTrainerTest {
  private static final int FEATURES = 5;
  private static final int ROWS = 8;

  private final float[] x = new float[ROWS * FEATURES];
  private final int[] classes = new int[ROWS];

  BatchTrainerTest() {
    SplittableRandom random = new SplittableRandom(3);
    for (int row = 0; row < ROWS; row++) {
      classes[row] = row % 3;
      for (int i = 0; i < FEATURES; i++) {
        x[row * FEATURES + i] = (float) random.nextDouble(-1, 1) + (i == classes[row] ? 1 : 0);
      }
    }
  }

  private static Model model() {
    return Model.sequential(FEATURES)
        .dense(7, Activation.TANH)
        .dense(3, Activation.SOFTMAX)
        .build(1);
  }

  private static BatchTrainer trainer(Model model) {
    return Trainer.of(model)
        .loss(Losses.sparseCategoricalCrossentropy())
        .optimizer(Optimizer.adam(0.05))
        .batches(ROWS);
  }

  @Test
  void theLossIsTheCrossEntropyOfThePredictionAndGoesDown() {
    try (Model model = model();
        BatchTrainer trainer = trainer(model)) {
      double expected = 0;
      for (int row = 0; row < ROWS; row++) {
        float[] example = Arrays.copyOfRange(x, row * FEATURES, (row + 1) * FEATURES);
        expected -= Math.log(model.predict(example)[classes[row]]) / ROWS;
      }
      float first = trainer.step(x, classes, ROWS);
      assertThat((double) first).isCloseTo(expected, within(1e-5));
      float last = first;
      for (int i = 0; i < 100; i++) {
        last = trainer.step(x, classes, ROWS);
      }
      assertThat(last).isLessThan(first / 5);
    }
  }

  private static Offset<Double> within(double tolerance) {
    return Offset.offset(tolerance);
  }

  @Test
  void fewerRowsAreAStepOfThoseRowsAlone() {
    try (Model a = model();
        Model b = model();
        BatchTrainer whole = trainer(a);
        BatchTrainer exact =
            Trainer.of(b)
                .loss(Losses.sparseCategoricalCrossentropy())
                .optimizer(Optimizer.adam(0.05))
                .batches(3)) {
      assertThat(whole.step(x, classes, 3)).isEqualTo(exact.step(x, classes, 3));
      assertThat(a.predict(new float[FEATURES])).isEqualTo(b.predict(new float[FEATURES]));
    }
  }

  @Test
  void whatIsWrittenToTheBuffersIsWhatIsTrained() {
    try (Model a = model();
        Model b = model();
        BatchTrainer arrays = trainer(a);
        BatchTrainer buffers = trainer(b)) {
      buffers.input(0).asFloatBuffer().put(x);
      buffers.target().asIntBuffer().put(classes);
      assertThat(buffers.run(ROWS)).isEqualTo(arrays.step(x, classes, ROWS));
    }
  }

  @Test
  void aStepAllocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long me = Thread.currentThread().getId();
    try (Model model = model();
        BatchTrainer trainer = trainer(model)) {
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 6; round++) {
        long idle = threads.getThreadAllocatedBytes(me);
        idle = threads.getThreadAllocatedBytes(me) - idle; // what asking allocates
        long before = threads.getThreadAllocatedBytes(me);
        for (int i = 0; i < 10_000; i++) {
          trainer.step(x, classes, 1 + (i & 7));
        }
        least = Math.min(least, threads.getThreadAllocatedBytes(me) - before - idle);
      }
      assertThat(least).isZero();
    }
  }

  @Test
  void wrongUseIsRefusedWithWhatWasExpected() {
    try (Model model = model();
        BatchTrainer trainer = trainer(model)) {
      assertThatThrownBy(() -> Trainer.of(model).batches(4))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("loss(Losses.");
      assertThatThrownBy(() -> Trainer.of(model).batches(0)).hasMessageContaining("capacity");
      assertThatThrownBy(() -> trainer.step(x, classes, ROWS + 1)).hasMessageContaining("1 to 8");
      assertThatThrownBy(() -> trainer.step(x, classes, 0)).hasMessageContaining("1 to 8");
      assertThatThrownBy(() -> trainer.step(new float[3], classes, 1))
          .hasMessageContaining("'x' needs 5 numbers")
          .hasMessageContaining("got 3");
      assertThatThrownBy(() -> trainer.step(x, new float[ROWS], 1))
          .hasMessageContaining("'target'")
          .hasMessageContaining("floats");
      assertThatThrownBy(() -> trainer.step(x, new int[] {7}, 1)).hasMessageContaining("7");
      assertThatThrownBy(() -> trainer.input(1)).hasMessageContaining("0 to 0");
    }
  }

  @Test
  void aClosedTrainerRefusesToStep() {
    try (Model model = model()) {
      BatchTrainer trainer = trainer(model);
      trainer.close();
      trainer.close();
      assertThatThrownBy(() -> trainer.step(x, classes, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }
}
