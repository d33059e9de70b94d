package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.device.cuda.EmulatedCard;
import dev.crema.memory.Shape;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.op.EveryDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/** Trainings on cards and on the CUDA device with emulated kernels: the curve is the CPU's. */
class CudaTrainingTest {
  private static final int ROWS = 16;

  private static Dataset data(int examples, int features, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] x = new float[examples * features];
    int[] y = new int[examples];
    for (int i = 0; i < examples; i++) {
      for (int f = 0; f < features; f++) {
        x[i * features + f] = random.nextFloat() - 0.5f;
      }
      y[i] = x[i * features] > 0 ? 1 : 0;
    }
    return Datasets.of(x, Shape.of(features), y, List.of("no", "yes"));
  }

  private static Trainer trainer(Model model, Device device) {
    return Trainer.of(model)
        .device(device)
        .batchSize(ROWS)
        .loss(Losses.sparseCategoricalCrossentropy());
  }

  private record Run(List<Float> losses, float[] first, float[] probabilities) {}

  /** Some steps of Adam, the last batch smaller, then a prediction on the same device. */
  private static Run train(Device device, String name, long[] shape, int steps) {
    int features = (int) Shape.of(shape).elements();
    try (Model model = Model.of(BuiltIn.topology(name, shape, BuiltIn.Output.CLASSES, 2), 1)) {
      Trainer trainer = trainer(model, device).clipNorm(1);
      SplittableRandom random = new SplittableRandom(3);
      List<Float> losses = new ArrayList<>();
      float[] x = new float[ROWS * features];
      int[] y = new int[ROWS];
      try (BatchTrainer batches = trainer.batches(ROWS)) {
        for (int step = 0; step < steps; step++) {
          for (int i = 0; i < x.length; i++) {
            x[i] = random.nextFloat() - 0.5f;
          }
          for (int i = 0; i < ROWS; i++) {
            y[i] = x[i * features] > 0 ? 1 : 0;
          }
          losses.add(batches.step(x, y, step == steps - 1 ? ROWS - 3 : ROWS));
        }
        float[] first = new float[8];
        model.parameters().floats().get(0, first); // while the card still has the newest
        float[] result = new float[2 * 4];
        try (var predictor = model.predictor(4, 0, device)) {
          predictor.predict(x, result, 4);
        }
        return new Run(losses, first, result);
      }
    }
  }

  private static void compare(String name, long[] shape, int steps) {
    Run cpu = train(Device.cpu(), name, shape, steps);
    EveryDevice.cards(card -> compare(cpu, train(card, name, shape, steps)));
  }

  /** Adam divides by roots of small numbers: what differs in the last bit may differ more soon. */
  private static void compare(Run cpu, Run cuda) {
    for (int i = 0; i < cpu.losses().size(); i++) {
      assertThat(cuda.losses().get(i))
          .as("loss of step " + i)
          .isCloseTo(cpu.losses().get(i), Percentage.withPercentage(0.1));
    }
    assertThat(cuda.first()).containsExactly(cpu.first(), Offset.offset(2e-3f));
    assertThat(cuda.probabilities()).containsExactly(cpu.probabilities(), Offset.offset(2e-3f));
  }

  @Test
  void theSeedNetworksCurveIsTheCpus() {
    compare("mlp:16,16", new long[] {10}, 100);
  }

  @Test
  void soIsThatOfAConvolutionalNetwork() {
    compare("lenet", new long[] {12, 12, 1}, 6);
  }

  @Test
  void aFitEvaluatesAndPredictsOnTheCard() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    Dataset data = data(96, 6, 1);
    try (EmulatedCard card = new EmulatedCard();
        Model model =
            Model.of(BuiltIn.topology("mlp:8", new long[] {6}, BuiltIn.Output.CLASSES, 2), 1)) {
      History history =
          Trainer.of(model)
              .device(card.device())
              .batchSize(ROWS)
              .epochs(3)
              .validation(data(40, 6, 2))
              .fit(data);
      assertThat(history.epochs()).hasSize(3);
      assertThat(history.epochs().get(2).metrics().get("loss"))
          .isLessThan(history.epochs().get(0).metrics().get("loss"));
    }
  }

  /** Each has plans of its own on the one device; what they compute is what one alone does. */
  @Test
  void threadsTrainAtOnce() {
    EveryDevice.cards(
        device -> {
          long[] shape = {6};
          List<Float> alone = train(device, "mlp:8", shape, 12).losses();
          List<CompletableFuture<List<Float>>> both = new ArrayList<>();
          for (int i = 0; i < 2; i++) {
            both.add(
                CompletableFuture.supplyAsync(() -> train(device, "mlp:8", shape, 12).losses()));
          }
          both.forEach(one -> assertThat(one.join()).isEqualTo(alone));
        });
  }

  @Test
  void aStepInSteadyStateIsOneLaunch() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    try (EmulatedCard card = new EmulatedCard();
        Model model =
            Model.of(BuiltIn.topology("mlp:8", new long[] {6}, BuiltIn.Output.CLASSES, 2), 1);
        BatchTrainer batches = trainer(model, card.device()).batches(ROWS)) {
      float[] x = new float[ROWS * 6];
      int[] y = new int[ROWS];
      batches.step(x, y, ROWS);
      batches.step(x, y, ROWS);
      card.clearLog();
      batches.step(x, y, ROWS);
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(1);
      assertThat(card.calls("cuLaunchKernel") + card.calls("cublasLt")).isZero();
      // The examples, their classes and the step's learning rate; the loss, and what else is read.
      assertThat(card.calls("cuMemcpyHtoDAsync")).isEqualTo(3);
      assertThat(card.calls("cuStreamSynchronize")).isEqualTo(1);
    }
  }
}
