package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.AveragePool2d;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Concat;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Flatten;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.nn.Predictor;
import dev.crema.nn.Symbol;
import dev.crema.op.EveryDevice;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks with ways around their layers as bytes: sums, means, concatenations. */
class QuantizedResidualTest {
  private static final int SIDE = 16;

  private static float[][] images(int rows) {
    Random random = new Random(5);
    float[][] x = new float[rows][SIDE * SIDE * 3];
    for (float[] row : x) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  private static Dataset data(int rows) {
    return Datasets.of(images(rows), new int[rows]);
  }

  private static Model resnet() {
    long[] shape = {SIDE, SIDE, 3};
    Model model = Model.of(BuiltIn.topology("resnet18-small", shape, BuiltIn.Output.VALUES, 4), 1);
    BatchNormFoldingTest.randomise(model);
    return model;
  }

  @Test
  void aResidualNetworkIsOfBytesFromItsInputToItsLastLayer() {
    try (Model before = resnet();
        Model after = Quantizer.standard().quantize(before, data(30))) {
      List<String> kernels = QuantizedImagesTest.kernels(after, 4);
      assertThat(kernels.get(0)).isEqualTo("quantize_linear");
      assertThat(new HashSet<>(kernels.subList(1, kernels.size())))
          .isEqualTo(
              Set.of(
                  "quantized_conv2d",
                  "quantized_add",
                  "quantized_global_average_pool",
                  "quantized_linear"));
    }
  }

  @Test
  void itPredictsNearlyWhatTheModelDid() {
    float[][] x = images(30);
    for (CalibrationMethod method : CalibrationMethod.values()) {
      try (Model before = resnet();
          Model after = Quantizer.standard().withCalibration(method).quantize(before, data(30))) {
        float[][] expected = before.predict(x);
        float[][] actual = after.predict(x);
        double error = 0;
        double size = 0;
        for (int i = 0; i < x.length; i++) {
          for (int j = 0; j < 4; j++) {
            error += Math.pow(actual[i][j] - expected[i][j], 2);
            size += Math.pow(expected[i][j] - expected[0][j], 2);
          }
        }
        // The noise of twenty layers in steps of 1/255 of their ranges, against the differences
        // between examples.
        assertThat(Math.sqrt(error / size)).as("%s", method).isLessThan(0.35);
      }
    }
  }

  @Test
  void everyInstructionSetThreadCountAndBatchGivesTheSameBits(@TempDir Path folder) {
    float[][] x = images(5);
    try (Model before = resnet();
        Model after = Quantizer.standard().quantize(before, data(30))) {
      float[][] expected = after.predict(x);
      for (Device device : CpuDevice.levels()) {
        for (int threads : new int[] {1, 3}) {
          try (Predictor p = after.predictor(threads, threads, device)) {
            assertThat(p.predict(x)).isDeepEqualTo(expected);
          }
        }
      }
      after.save(folder.resolve("m"));
      try (Model loaded = Model.load(folder.resolve("m"))) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.predict(x)).isDeepEqualTo(expected);
      }
    }
  }

  @Test
  void cardsGiveTheSameBits() {
    float[][] x = images(2);
    try (Model before = resnet();
        Model after = Quantizer.standard().quantize(before, data(30))) {
      float[][] expected = after.predict(x);
      EveryDevice.cards(
          card -> {
            try (Predictor p = after.predictor(2, 0, card)) {
              assertThat(p.predict(x)).isDeepEqualTo(expected);
            }
          });
    }
  }

  @Test
  void concatenationsAndAveragePoolsMoveBytesToo() {
    Symbol x = Symbol.input("x", SIDE, SIDE, 3);
    Conv2d conv = Conv2d.of(5, 3, Activation.RELU).withPadding(Padding.SAME);
    Symbol a = x.then(conv);
    Symbol b = x.then(Conv2d.of(4, 1));
    Symbol y =
        new Concat(-1)
            .apply(a, b)
            .then(Conv2d.of(6, 3))
            .then(AveragePool2d.of(2))
            .then(new Flatten())
            .then(Dense.of(3));
    try (Model before = Model.of(List.of(x), List.of(y), 1);
        Model after = Quantizer.standard().quantize(before, data(30))) {
      assertThat(QuantizedImagesTest.kernels(after, 4))
          .containsExactly(
              "quantize_linear",
              "quantized_conv2d",
              "quantized_conv2d",
              "concat",
              "quantized_conv2d",
              "quantized_average_pool2d",
              "quantized_linear");
    }
  }

  /** What a float layer needs or gives stays float; nothing else changes. */
  @Test
  void aFloatLayerInTheMiddleIsSurroundedByConversions() {
    Symbol x = Symbol.input("x", SIDE, SIDE, 3);
    Symbol a = x.then(Conv2d.of(4, 3, Activation.RELU).withPadding(Padding.SAME));
    Symbol b = a.then(Conv2d.of(4, 3, Activation.TANH).withPadding(Padding.SAME));
    Symbol y = new Add().apply(a, b).then(Conv2d.of(2, 3)).then(new Flatten());
    try (Model before = Model.of(List.of(x), List.of(y), 1);
        Model after = Quantizer.standard().without("conv2d_3").quantize(before, data(30))) {
      assertThat(after.quantization().layers().keySet()).containsExactly("conv2d_1", "conv2d_2");
      float[][] expected = before.predict(images(3));
      float[][] actual = after.predict(images(3));
      for (int i = 0; i < 3; i++) {
        assertThat(actual[i])
            .containsExactly(expected[i], org.assertj.core.api.Assertions.within(0.1f));
      }
    }
  }
}
