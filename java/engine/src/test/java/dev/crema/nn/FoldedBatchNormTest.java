package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.device.cuda.EmulatedCard;
import dev.crema.graph.Graph;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.op.EveryDevice;
import dev.crema.pass.Computation;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Predictors fold normalisations into the layers before them. */
class FoldedBatchNormTest {
  private static final int SIDE = 9;
  private static final int CHANNELS = 3;
  private static final int ROWS = 6;
  private static final int OUTPUTS = 10;
  private static final float[] IMAGES = images();

  private static float[] images() {
    Random random = new Random(1);
    float[] x = new float[ROWS * SIDE * SIDE * CHANNELS];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  /** Convolutions of all kinds and dense layers, with and without bias, gamma and beta. */
  private static Model model() {
    Model model =
        Model.sequential(SIDE, SIDE, CHANNELS)
            .add(Conv2d.of(32, 3).withPadding(Padding.SAME).withoutBias())
            .add(new BatchNorm())
            .add(new Activate(Activation.RELU))
            .add(Conv2d.of(24, 3).withPadding(Padding.SAME))
            .add(new BatchNorm(null, null, false, true))
            .add(DepthwiseConv2d.of(3).withPadding(Padding.SAME))
            .add(new BatchNorm(null, 1e-3, true, false))
            .add(Conv2d.of(6, 1).withoutBias())
            .add(new BatchNorm(null, null, false, false))
            .add(new Flatten())
            .add(Dense.of(20))
            .add(new BatchNorm())
            .add(Dense.of(OUTPUTS).withoutBias())
            .add(new BatchNorm(null, null, true, false))
            .add(new Activate(Activation.TANH))
            .build(5);
    Random random = new Random(8);
    for (Parameter p : model.table().all()) {
      float[] values = model.get(p.path());
      for (int i = 0; i < values.length; i++) {
        boolean positive = p.path().endsWith("variance");
        values[i] += (float) (positive ? random.nextDouble() : 0.2 * random.nextGaussian());
      }
      model.set(p.path(), values);
    }
    return model;
  }

  private static float[] unfolded(Model model, int rows, Device device) {
    ModelGraph built = model.build(new Graph(), false);
    try (Plan plan =
        Plan.of(built.graph())
            .outputs(built.outputs().get(0))
            .capacity(rows)
            .device(device)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build()) {
      plan.input(plan.inputs().iterator().next())
          .floats()
          .put(IMAGES, 0, rows * SIDE * SIDE * CHANNELS);
      plan.run(rows);
      FloatBuffer output = plan.output(built.outputs().get(0)).asFloatBuffer();
      float[] y = new float[output.remaining()];
      output.get(y);
      return y;
    }
  }

  private static float[] predict(Predictor predictor, int rows) {
    float[] y = new float[rows * OUTPUTS];
    predictor.predict(IMAGES, y, rows);
    return y;
  }

  private static List<String> kernels(Predictor predictor) {
    return predictor.plan().instructions().stream()
        .filter(i -> i.sections() != Computation.PREPARE)
        .map(i -> i.kernel())
        .toList();
  }

  @Test
  void nothingIsNormalisedInARunAndNothingButRoundingDiffers() {
    try (Model model = model()) {
      for (CpuDevice device : CpuDevice.levels()) {
        for (int rows : new int[] {1, ROWS}) {
          float[] expected = unfolded(model, rows, device);
          float[] first = null;
          for (int threads = 1; threads <= 3; threads++) {
            try (Predictor predictor = model.predictor(rows, threads, device)) {
              assertThat(kernels(predictor))
                  .containsExactly("conv2d", "conv2d", "conv2d", "conv2d", "linear", "linear");
              float[] actual = predict(predictor, rows);
              // A few roundings of sums of some hundred products, of values of about 1.
              assertThat(actual).as("%s", device).containsExactly(expected, within(2e-5f));
              first = first == null ? actual : first;
              assertThat(actual).as("%s, %s threads", device, threads).isEqualTo(first);
            }
          }
        }
      }
    }
  }

  @Test
  void nothingIsNormalisedOnACardEither() {
    EveryDevice.cards(
        device -> {
          try (Model model = model()) {
            for (int rows : new int[] {1, ROWS}) {
              float[] expected = unfolded(model, rows, Device.cpu());
              try (Predictor predictor = model.predictor(rows, 0, device);
                  Predictor other = model.predictor(rows, 0, device)) {
                assertThat(kernels(predictor))
                    .containsExactly("conv2d", "conv2d", "conv2d", "conv2d", "linear", "linear");
                for (int run = 0; run < 3; run++) { // queued, recorded, launched
                  assertThat(predict(predictor, rows)).containsExactly(expected, within(2e-5f));
                }
                assertThat(predict(other, rows)).containsExactly(expected, within(2e-5f));
              }
            }
          }
        });
  }

  @Test
  void cardsFoldBeforeTheyCastKernelsTo16Bits() {
    EveryDevice.cards(
        device -> {
          for (Precision precision : List.of(Precision.BFLOAT16, Precision.FLOAT16)) {
            try (Model model = model();
                Predictor half = model.predictor(ROWS, 0, device, precision)) {
              assertThat(String.join(" ", kernels(half))) // the input is float32
                  .isEqualTo("elementwise conv2d conv2d conv2d conv2d linear linear");
              float within = precision == Precision.BFLOAT16 ? 0.2f : 0.03f;
              assertThat(predict(half, ROWS))
                  .containsExactly(unfolded(model, ROWS, Device.cpu()), within(within));
            }
          }
        });
  }

  @Test
  void onACardKernelsAreFoldedOnlyWhenTheyHaveChanged() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    try (EmulatedCard card = new EmulatedCard();
        Model model = model();
        Predictor predictor = model.predictor(ROWS, 0, card.device())) {
      for (int run = 0; run < 3; run++) {
        predict(predictor, ROWS);
      }
      card.clearLog();
      predict(predictor, ROWS);
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(1);
      model.set("batch_norm_1/gamma", model.get("batch_norm_1/gamma"));
      card.clearLog();
      predict(predictor, ROWS);
      assertThat(card.calls("cuGraphLaunch")).isEqualTo(2); // what is known ahead, and the run
    }
  }

  @Test
  void newParametersAndStatisticsShow() {
    newParametersAndStatisticsShow(Device.cpu());
    EveryDevice.cards(FoldedBatchNormTest::newParametersAndStatisticsShow);
  }

  private static void newParametersAndStatisticsShow(Device device) {
    try (Model model = model();
        Predictor predictor = model.predictor(ROWS, 0, device)) {
      float[] before = predict(predictor, ROWS);
      for (String path :
          List.of(
              "batch_norm_1/running_mean",
              "batch_norm_2/running_variance",
              "batch_norm_1/gamma",
              "conv2d_1/kernel")) {
        float[] values = model.get(path);
        for (int i = 0; i < values.length; i += 2) {
          values[i] = 1.5f * values[i] + 0.25f;
        }
        model.set(path, values);
        float[] after = predict(predictor, ROWS);
        assertThat(after).as(path).isNotEqualTo(before);
        assertThat(after)
            .as(path)
            .containsExactly(unfolded(model, ROWS, Device.cpu()), within(2e-5f));
        before = after;
      }
    }
  }

  @Test
  void channelsWithoutVarianceAndChannelsOfNoFiniteOne() {
    try (Model model = model()) {
      float[] variance = model.get("batch_norm_1/running_variance");
      variance[0] = 0;
      variance[1] = Float.POSITIVE_INFINITY;
      model.set("batch_norm_1/running_variance", variance);
      float[] expected = unfolded(model, ROWS, Device.cpu());
      try (Predictor predictor = model.predictor(ROWS, 1, Device.cpu())) {
        // Deviations of 0.003: roundings count 300 times as much.
        assertThat(predict(predictor, ROWS)).containsExactly(expected, within(2e-3f));
      }
      variance[1] = Float.NaN;
      model.set("batch_norm_1/running_variance", variance);
      try (Predictor predictor = model.predictor(ROWS, 1, Device.cpu())) {
        assertThat(predict(predictor, ROWS)).containsOnly(Float.NaN);
      }
      assertThat(unfolded(model, ROWS, Device.cpu())).containsOnly(Float.NaN);
    }
  }

  @Test
  void predictorsOfLessPrecisionFoldToo() {
    try (Model model = model();
        Predictor half = model.predictor(ROWS, 1, Device.cpu(), Precision.BFLOAT16)) {
      float[] expected = unfolded(model, ROWS, Device.cpu());
      // Factors of 8 bits through seven layers.
      assertThat(predict(half, ROWS)).containsExactly(expected, within(0.2f));
      assertThat(kernels(half))
          .containsExactly("conv2d", "conv2d", "conv2d", "conv2d", "linear", "linear");
    }
  }
}
