package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.data.Datasets;
import dev.crema.data.IndexedDataset;
import dev.crema.device.Device;
import dev.crema.device.cuda.EmulatedCard;
import dev.crema.graph.Precision;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.op.EveryDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Trainings that store what stands between ops in 16 bits, on cards and with emulated kernels. */
class HalfTrainingTest {
  private static final int ROWS = 16;

  @TempDir private Path folder;

  /** What counts the calls that are made. */
  private static void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
  }

  private static Model model(String name, long... shape) {
    return Model.of(BuiltIn.topology(name, shape, BuiltIn.Output.CLASSES, 2), 1);
  }

  private static Trainer trainer(Model model, Device device, Precision precision) {
    return Trainer.of(model)
        .device(device)
        .precision(precision)
        .clipNorm(1)
        .loss(Losses.sparseCategoricalCrossentropy());
  }

  /** Examples whose first number decides the class. */
  private static int[] fill(float[] x, SplittableRandom random) {
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextFloat() - 0.5f;
    }
    int[] y = new int[ROWS];
    for (int i = 0; i < ROWS; i++) {
      y[i] = x[i * (x.length / ROWS)] > 0 ? 1 : 0;
    }
    return y;
  }

  private static List<Float> losses(
      Device device, Precision precision, String name, int steps, long... shape) {
    int features = 1;
    for (long extent : shape) {
      features *= (int) extent;
    }
    List<Float> losses = new ArrayList<>();
    try (Model model = model(name, shape);
        BatchTrainer batches = trainer(model, device, precision).batches(ROWS)) {
      SplittableRandom random = new SplittableRandom(3);
      float[] x = new float[ROWS * features];
      for (int step = 0; step < steps; step++) {
        int[] y = fill(x, random);
        losses.add(batches.step(x, y, step == steps - 1 ? ROWS - 3 : ROWS));
      }
    }
    return losses;
  }

  /**
   * Losses near 0.7 differ by what rounding does to logits: each layer rounds its output and its
   * weights once, so that a loss is off by a few units of 2^-8 (bfloat16) or 2^-11 (float16); Adam
   * makes of small gradients as large steps as of others, so the difference grows over the steps.
   */
  private static void compare(String name, int steps, long... shape) {
    EveryDevice.cards(device -> compare(device, name, steps, shape));
  }

  private static void compare(Device device, String name, int steps, long... shape) {
    List<Float> exact = losses(device, Precision.FLOAT32, name, steps, shape);
    for (Precision p : new Precision[] {Precision.BFLOAT16, Precision.FLOAT16}) {
      double unit = p == Precision.BFLOAT16 ? 0x1p-8 : 0x1p-11;
      List<Float> half = losses(device, p, name, steps, shape);
      for (int i = 0; i < steps; i++) {
        assertThat(half.get(i))
            .as("%s in %s, step %s", name, p, i)
            .isCloseTo(exact.get(i), within((float) (8 * unit)));
      }
      assertThat(half).as("it computes in %s", p).isNotEqualTo(exact);
    }
  }

  @Test
  void theSeedNetworksCurveFollowsFloat32s() {
    compare("mlp:16,16", 30, 10);
  }

  @Test
  void soDoesThatOfAConvolutionalNetwork() {
    compare("lenet", 4, 12, 12, 1);
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void aStepIsStillOneLaunchAndReadsNothingBack(Precision precision) {
    needsTheEmulation();
    try (EmulatedCard card = new EmulatedCard();
        Model model = model("mlp:8", 6);
        BatchTrainer batches = trainer(model, card.device(), precision).batches(ROWS)) {
      float[] x = new float[ROWS * 6];
      int[] y = fill(x, new SplittableRandom(1));
      batches.step(x, y, ROWS);
      batches.step(x, y, ROWS);
      card.clearLog();
      batches.step(x, y, ROWS);
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(1);
      assertThat(card.calls("cuLaunchKernel") + card.calls("cublasLt")).isZero();
      assertThat(card.calls("cuMemcpyHtoDAsync")).isEqualTo(3);
      assertThat(card.calls("cuStreamSynchronize")).isEqualTo(1);
    }
  }

  @Test
  void anOverflowSkipsTheUpdateAndHalvesTheScale() {
    needsTheEmulation();
    LossScaling large = new LossScaling(0x1p30, 2, 0.5, 4); // gradients far beyond 65504
    try (EmulatedCard card = new EmulatedCard();
        Model model = model("mlp:8", 6);
        BatchTrainer batches =
            trainer(model, card.device(), Precision.FLOAT16).lossScaling(large).batches(ROWS)) {
      float[] x = new float[ROWS * 6];
      int[] y = fill(x, new SplittableRandom(1));
      float[] before = parameters(model);
      batches.step(x, y, ROWS);
      assertThat(batches.lossScale()).isEqualTo(0x1p29);
      assertThat(parameters(model)).isEqualTo(before);
      double scale = 0x1p29;
      int skipped = 0;
      while (batches.lossScale() == scale && skipped < 30) {
        float first = batches.step(x, y, ROWS);
        assertThat(first).isFinite();
        scale /= 2;
        skipped++;
      }
      assertThat(skipped).as("until the gradients fit").isBetween(8, 25);
      assertThat(parameters(model)).isNotEqualTo(before);
      double settled = batches.lossScale();
      for (int i = 0; i < 3; i++) {
        batches.step(x, y, ROWS);
      }
      assertThat(batches.lossScale()).as("after four good steps").isEqualTo(2 * settled);
    }
  }

  private static float[] parameters(Model model) {
    float[] all = new float[model.parameters().floats().capacity()];
    model.parameters().floats().get(0, all);
    return all;
  }

  @Test
  void aResumedTrainingInFloat16GoesOnToTheBit() {
    needsTheEmulation();
    float[] whole = fit("whole", 4, false);
    fit("parts", 2, false);
    assertThat(fit("parts", 4, true)).isEqualTo(whole);
  }

  private float[] fit(String name, int epochs, boolean resume) {
    SplittableRandom random = new SplittableRandom(7);
    float[][] x = new float[40][6];
    int[] y = new int[x.length];
    for (int i = 0; i < x.length; i++) {
      for (int f = 0; f < 6; f++) {
        x[i][f] = random.nextFloat() - 0.5f;
      }
      y[i] = x[i][0] > 0 ? 1 : 0;
    }
    IndexedDataset data = Datasets.of(x, y);
    try (EmulatedCard card = new EmulatedCard();
        Model model = model("mlp:8", 6)) {
      trainer(model, card.device(), Precision.FLOAT16)
          .lossScaling(new LossScaling(0x1p24, 2, 0.5, 3)) // overflows at first, then grows
          .batchSize(ROWS)
          .epochs(epochs)
          .checkpoint(folder.resolve(name))
          .resume(resume)
          .fit(data);
      return parameters(model);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16", "TF32"})
  void predictionsInLessThanFloat32AreNearlyTheSame(Precision precision) {
    EveryDevice.cards(device -> comparePredictions(device, precision));
  }

  private static void comparePredictions(Device device, Precision precision) {
    try (Model model = model("mlp:16,16", 6);
        Predictor exact = model.predictor(ROWS, 0, device, Precision.FLOAT32);
        Predictor half = model.predictor(ROWS, 0, device, precision)) {
      float[] x = new float[ROWS * 6];
      fill(x, new SplittableRandom(1));
      float[] expected = new float[ROWS * 2];
      float[] actual = new float[ROWS * 2];
      exact.predict(x, expected, ROWS);
      half.predict(x, actual, ROWS);
      // Three layers round inputs and weights once each; probabilities are at most 1.
      assertThat(actual).containsExactly(expected, within(6 * 0x1p-8f));
    }
  }

  @Test
  void aPredictorFollowsItsModelThoughItCastsWeightsOnce() {
    needsTheEmulation();
    try (EmulatedCard card = new EmulatedCard();
        Model model = model("mlp:16,16", 6);
        Predictor kept = model.predictor(ROWS, 0, card.device(), Precision.BFLOAT16)) {
      float[] x = new float[ROWS * 6];
      int[] y = fill(x, new SplittableRandom(1));
      float[] before = new float[ROWS * 2];
      float[] after = new float[ROWS * 2];
      float[] fresh = new float[ROWS * 2];
      kept.predict(x, before, ROWS);
      kept.predict(x, before, ROWS);
      kept.predict(x, before, ROWS);
      card.clearLog();
      kept.predict(x, before, ROWS);
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(1);
      try (BatchTrainer batches = trainer(model, card.device(), Precision.BFLOAT16).batches(ROWS)) {
        batches.step(x, y, ROWS);
      }
      kept.predict(x, after, ROWS);
      try (Predictor other = model.predictor(ROWS, 0, card.device(), Precision.BFLOAT16)) {
        other.predict(x, fresh, ROWS);
      }
      assertThat(after).isEqualTo(fresh).isNotEqualTo(before);
    }
  }

  @Test
  void tf32AsksForTensorCoresAndFloat32DoesNot() {
    needsTheEmulation();
    for (boolean tf32 : new boolean[] {false, true}) {
      try (EmulatedCard card = new EmulatedCard();
          Model model = model("lenet", 12, 12, 1);
          BatchTrainer batches =
              trainer(model, card.device(), tf32 ? Precision.TF32 : Precision.FLOAT32)
                  .batches(ROWS)) {
        float[] x = new float[ROWS * 144];
        batches.step(x, fill(x, new SplittableRandom(1)), ROWS);
        assertThat(card.calls("cublasLtMatmulDescCreate 77") > 0).isEqualTo(tf32);
        assertThat(card.calls("cublasLtMatmulDescCreate 68") > 0).isEqualTo(!tf32);
        assertThat(card.calls("cudnnSetConvolutionMathType 0") > 0).isEqualTo(tf32);
      }
    }
  }
}
