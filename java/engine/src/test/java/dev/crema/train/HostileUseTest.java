package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Mnist;
import dev.crema.memory.Buffer;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Use after close, without memory, of what is not there: an exception that says so, no leak. */
@Timeout(120)
class HostileUseTest {
  private static final Dataset DATA = Mnist.sample10x10().test();

  private static Model model() {
    return Model.sequential(100).dense(32, Activation.RELU).dense(10, Activation.SOFTMAX).build(1);
  }

  /** What is done with so many bytes more than are held now. */
  private static void withBytesLeft(long bytes, Runnable action) {
    System.setProperty("crema.maxBytes", Long.toString(Buffer.allocatedBytes() + bytes));
    try {
      action.run();
    } finally {
      System.clearProperty("crema.maxBytes");
    }
  }

  @Test
  void aClosedTrainerOrEvaluatorSaysThatItIsClosed() {
    try (Model model = model()) {
      BatchTrainer trainer =
          Trainer.of(model).loss(Losses.sparseCategoricalCrossentropy()).batches(4);
      trainer.step(new float[400], new int[4], 4);
      TrainingBatch batch = trainer.newBatch();
      trainer.close();
      trainer.close();
      assertThatThrownBy(() -> trainer.step(new float[400], new int[4], 4))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("This trainer is closed");
      assertThatThrownBy(() -> batch.fill(new float[400], new int[4], 4).send(4))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("This trainer is closed");
      Evaluator evaluator = Evaluator.of(model, DATA);
      evaluator.close();
      evaluator.close();
      assertThatThrownBy(() -> evaluator.evaluate(DATA))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("This evaluator is closed");
    }
  }

  @Test
  void anEvaluatorMayBeClosedWhileItMeasures() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try (Model model = model()) {
      double loss;
      try (Evaluator evaluator = Evaluator.of(model, DATA)) {
        loss = evaluator.evaluate(DATA).loss();
      }
      for (int round = 0; round < 20; round++) {
        Evaluator evaluator = Evaluator.of(model, DATA);
        List<Future<?>> all = new ArrayList<>();
        all.add(
            threads.submit(
                () -> {
                  try {
                    assertThat(evaluator.evaluate(DATA).loss()).isEqualTo(loss);
                  } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("closed");
                  }
                }));
        all.add(threads.submit(evaluator::close));
        all.add(threads.submit(evaluator::close));
        for (Future<?> one : all) {
          one.get();
        }
      }
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void withoutMemoryAModelSaysWhatItNeedsAndLeaksNothing() {
    long before = Buffer.allocatedBytes();
    withBytesLeft(
        1000,
        () ->
            assertThatThrownBy(HostileUseTest::model)
                .isInstanceOf(CremaException.class)
                .hasMessageStartingWith("Out of native memory: The model's parameters asks for")
                .hasMessageContaining("crema.maxBytes")
                .hasMessageContaining("Use a smaller batch or model"));
    assertThat(Buffer.allocatedBytes()).isEqualTo(before);
  }

  @Test
  void withoutMemoryAPredictorSaysWhatItNeedsAndLeaksNothing() {
    try (Model model = model()) {
      long before = Buffer.allocatedBytes();
      for (long left = 0; left < 400_000; left += 7_919) {
        withBytesLeft(
            left,
            () -> {
              try (Predictor predictor = model.predictor(500)) {
                assertThat(predictor.capacity()).isEqualTo(500);
              } catch (CremaException e) {
                assertThat(e).hasMessageStartingWith("Out of native memory: ");
              }
            });
        assertThat(Buffer.allocatedBytes()).isLessThanOrEqualTo(before);
      }
      assertThat(model.predict(new float[100])).hasSize(10);
    }
  }

  @Test
  void withoutMemoryATrainingSaysWhatItNeedsAndLeaksNothing() {
    try (Model model = model()) {
      long before = Buffer.allocatedBytes();
      int refused = 0;
      for (long left = 0; left < 200_000; left += 3_989) {
        try {
          withBytesLeft(left, () -> Trainer.of(model).epochs(1).batchSize(512).fit(DATA));
        } catch (CremaException e) {
          assertThat(e).hasMessageStartingWith("Out of native memory: ");
          refused++;
        }
        // Less: what earlier tests dropped may be collected meanwhile.
        assertThat(Buffer.allocatedBytes())
            .as("with %d bytes left", left)
            .isLessThanOrEqualTo(before);
      }
      assertThat(refused).isGreaterThan(5);
    }
  }

  @Test
  void whatIsNotThereIsNamed() {
    try (Model model = model();
        Predictor predictor = model.predictor(2)) {
      for (int index : new int[] {-1, 1, Integer.MAX_VALUE}) {
        for (Runnable use :
            List.<Runnable>of(
                () -> predictor.read(index, new float[20], 1),
                () -> predictor.outputElements(index),
                () -> predictor.outputMemory(index))) {
          assertThatThrownBy(use::run)
              .isInstanceOf(CremaException.class)
              .hasMessage("This model has the outputs 0 to 0 [dense_2], got " + index);
        }
      }
      assertThatThrownBy(() -> model.predict((float[]) null))
          .isInstanceOf(NullPointerException.class)
          .hasMessage("example");
      assertThatThrownBy(() -> model.predict(new float[1][]))
          .isInstanceOf(NullPointerException.class)
          .hasMessageContaining("\"example\" is null");
      float[] x = new float[100];
      x[7] = Float.NaN;
      assertThat(model.predict(x)).containsOnly(Float.NaN);
      assertThat(model.predict(new float[100])).doesNotContain(Float.NaN);
    }
  }
}
