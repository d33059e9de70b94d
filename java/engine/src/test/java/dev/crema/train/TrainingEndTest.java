package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.KernelException;
import dev.crema.memory.Buffer;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * However a training ends, all callbacks are told, nothing leaks, and the first reason is shown.
 */
class TrainingEndTest {
  private static final Dataset DATA =
      Datasets.of(new float[][] {{1, 2}, {3, 4}, {5, 6}, {7, 8}}, new int[] {0, 1, 2, 0});

  private final List<String> told = new ArrayList<>();

  private static Model model() {
    return Model.sequential(2).dense(4, Activation.RELU).dense(3, Activation.SOFTMAX).build(1);
  }

  private Callback throwing(String name, boolean inStep) {
    return new Callback() {
      @Override
      public void onStepEnd(Training training, long step, float loss) {
        if (inStep) {
          throw new IllegalArgumentException(name + " in a step");
        }
      }

      @Override
      public void onTrainingEnd(Training training) {
        told.add(name);
        throw new UnsupportedOperationException(name + " at the end");
      }
    };
  }

  @Test
  void everyCallbackIsToldTheEndAlthoughOthersThrow() {
    long held = Buffer.allocatedBytes();
    try (Model model = model()) {
      Trainer trainer =
          Trainer.of(model)
              .callback(throwing("a", false))
              .callback(throwing("b", false))
              .callback(EarlyStopping.minimise("loss", 3));
      assertThatThrownBy(() -> trainer.fit(DATA))
          .hasMessage("a at the end")
          .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    }
    assertThat(told).containsExactly("a", "b");
    assertThat(Buffer.allocatedBytes()).as("early stopping gave its copies back").isEqualTo(held);
  }

  @Test
  void whatEndedATrainingIsNotHiddenByWhatIsThrownAfterwards() {
    try (Model model = model()) {
      Trainer trainer =
          Trainer.of(model).callback(throwing("a", true)).callback(throwing("b", false));
      assertThatThrownBy(() -> trainer.fit(DATA))
          .hasMessage("a in a step")
          .satisfies(
              e ->
                  assertThat(e.getSuppressed())
                      .extracting(Throwable::getMessage)
                      .containsExactly("a at the end", "b at the end"));
    }
  }

  @Test
  void anInterruptEndsATrainingBeforeTheNextStep() {
    try (Model model = model()) {
      long[] steps = new long[1];
      Callback interrupts =
          new Callback() {
            @Override
            public void onStepEnd(Training training, long step, float loss) {
              steps[0] = step;
              if (step == 5) {
                Thread.currentThread().interrupt();
              }
            }
          };
      assertThatThrownBy(
              () -> Trainer.of(model).batchSize(2).epochs(50).callback(interrupts).fit(DATA))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("Interrupted");
      assertThat(Thread.interrupted()).as("the thread stays interrupted").isTrue();
      assertThat(steps[0]).isEqualTo(5);
    } finally {
      Thread.interrupted();
    }
  }

  @Test
  void aModelThatIsClosedWhileItsTrainingIsPreparedLeaksNothing() {
    long held = Buffer.allocatedBytes();
    Model model = model();
    Callback closes =
        new Callback() {
          @Override
          public void onPrepare(Model prepared) {
            prepared.close();
          }
        };
    assertThatThrownBy(() -> Trainer.of(model).callback(closes).fit(DATA))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThat(Buffer.allocatedBytes()).isEqualTo(held);
  }

  @Test
  void aStepThatIsRefusedDoesNotCount() {
    float[] examples = {1, 2, 3, 4};
    float[] expected;
    try (Model model = model();
        BatchTrainer trainer = batches(model, 1)) {
      trainer.step(examples, new int[] {0, 1}, 2);
      trainer.step(examples, new int[] {2, 1}, 2);
      expected = model.get("dense_1/kernel");
    }
    try (Model model = model();
        BatchTrainer trainer = batches(model, 1)) {
      trainer.step(examples, new int[] {0, 1}, 2);
      assertThatThrownBy(() -> trainer.step(examples, new int[] {0, 3}, 2))
          .isInstanceOf(KernelException.class)
          .isInstanceOf(CremaException.class);
      trainer.step(examples, new int[] {2, 1}, 2);
      assertThat(model.get("dense_1/kernel")).isEqualTo(expected);
    }
  }

  @Test
  void batchesThatAreAccumulatedGiveOneUpdateAsInFit() {
    float[][] x = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
    int[] y = {0, 1, 2, 0};
    float[] expected;
    try (Model model = model()) {
      Trainer.of(model).batchSize(2).accumulate(2).shuffle(false).epochs(1).fit(DATA);
      expected = model.get("dense_1/kernel");
    }
    try (Model model = model();
        BatchTrainer trainer = batches(model, 2)) {
      float[] before = model.get("dense_1/kernel");
      trainer.step(new float[] {1, 2, 3, 4}, new int[] {y[0], y[1]}, 2);
      assertThat(model.get("dense_1/kernel")).as("it waits for a second batch").isEqualTo(before);
      trainer.step(new float[] {x[2][0], x[2][1], 7, 8}, new int[] {y[2], y[3]}, 2);
      assertThat(model.get("dense_1/kernel")).isEqualTo(expected);
    }
  }

  private static BatchTrainer batches(Model model, int accumulate) {
    return Trainer.of(model)
        .accumulate(accumulate)
        .loss(Losses.sparseCategoricalCrossentropy())
        .batches(2);
  }
}
