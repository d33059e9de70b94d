package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Mnist;
import dev.crema.device.Device;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Activation;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Flatten;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.op.EveryDevice;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks of convolutions as bytes from layer to layer. */
class QuantizedImagesTest {
  private static final int PIXELS = 28 * 28;
  private static final Offset<Float> CLOSE = Offset.offset(1e-6f);

  private static Model lenet(int first, int second, int units) {
    return Model.sequential(28, 28, 1)
        .add(Conv2d.of(first, 5, Activation.RELU))
        .add(MaxPool2d.of(2))
        .add(Conv2d.of(second, 5, Activation.RELU))
        .add(MaxPool2d.of(2))
        .add(new Flatten())
        .dense(units, Activation.RELU)
        .dense(10, Activation.SOFTMAX)
        .build(3);
  }

  private static float[][] images(int rows) {
    Random random = new Random(4);
    float[][] x = new float[rows][PIXELS];
    for (float[] row : x) {
      for (int i = 0; i < PIXELS; i++) {
        row[i] = random.nextFloat();
      }
    }
    return x;
  }

  private static Dataset data(int rows) {
    return Datasets.of(images(rows), new int[rows]);
  }

  static List<String> kernels(Model model, int capacity) {
    try (Predictor p = model.predictor(capacity)) {
      return p.plan().instructions().stream()
          .map(Instruction::kernel)
          .filter(k -> !k.startsWith("pack"))
          .toList();
    }
  }

  @Test
  void lenetIsOfBytesFromItsInputToItsLastLayer() {
    try (Model before = lenet(6, 16, 32);
        Model after = Quantizer.standard().quantize(before, data(20))) {
      assertThat(after.quantization().layers().keySet())
          .containsExactly("conv2d_1", "conv2d_2", "dense_1", "dense_2");
      for (int capacity : new int[] {1, 32}) {
        assertThat(kernels(after, capacity))
            .containsExactly(
                "quantize_linear",
                "quantized_conv2d",
                "max_pool2d",
                "quantized_conv2d",
                "max_pool2d",
                "quantized_linear",
                "quantized_linear",
                "softmax");
      }
    }
  }

  @Test
  void everyInstructionSetThreadCountAndBatchGivesTheSameBits() {
    float[][] x = images(9);
    try (Model before = lenet(7, 18, 33);
        Model after = Quantizer.standard().without("dense_2").quantize(before, data(20))) {
      float[][] expected = after.predict(x);
      for (Device device : CpuDevice.levels()) {
        for (int threads : new int[] {1, 3}) {
          for (int capacity : new int[] {1, 4, 9}) {
            try (Predictor p = after.predictor(capacity, threads, device)) {
              float[][] actual = p.predict(x);
              for (int i = 0; i < x.length; i++) {
                // The last layer and softmax are float32.
                assertThat(actual[i]).containsExactly(expected[i], CLOSE);
              }
            }
          }
        }
      }
    }
  }

  /** Layers of bytes do to the bit; the last one and softmax are float32. */
  @Test
  void soDoCards() {
    float[][] x = images(3);
    try (Model before = lenet(6, 16, 33);
        Model after = Quantizer.standard().without("dense_2").quantize(before, data(20))) {
      float[][] expected = after.predict(x);
      EveryDevice.cards(
          card -> {
            for (int capacity : new int[] {1, 3}) {
              try (Predictor p = after.predictor(capacity, 0, card)) {
                float[][] actual = p.predict(x);
                for (int i = 0; i < x.length; i++) {
                  assertThat(actual[i]).containsExactly(expected[i], CLOSE);
                }
              }
            }
          });
    }
  }

  @Test
  void isSavedAsInt8AndPredictsTheSameWhenItIsLoaded(@TempDir Path folder) throws IOException {
    float[][] x = images(5);
    try (Model before = lenet(32, 64, 512);
        Model after = Quantizer.standard().quantize(before, data(20))) {
      before.save(folder.resolve("before"));
      after.save(folder.resolve("after"));
      long small = Files.size(folder.resolve("after/model.safetensors"));
      long big = Files.size(folder.resolve("before/model.safetensors"));
      assertThat(small).isLessThan(big * 3 / 10);
      try (Model loaded = Model.load(folder.resolve("after"))) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.predict(x)).isDeepEqualTo(after.predict(x));
      }
    }
  }

  /** Version 2 had dense layers alone, and the numbers of a layer's input beside one another. */
  @Test
  void aFileOfTheVersionBeforeIsStillRead(@TempDir Path folder) throws IOException {
    float[][] x = images(5);
    try (Model before = Model.sequential(PIXELS).dense(20, Activation.RELU).dense(3).build(1);
        Model after = Quantizer.standard().quantize(before, data(20))) {
      after.save(folder.resolve("new"));
      ObjectNode json = (ObjectNode) Json.read(folder.resolve("new/model.json"));
      json.put("version", 2);
      ObjectNode layers = (ObjectNode) json.path("quantization").path("layers");
      for (String name : List.of("dense_1", "dense_2")) {
        layers.set(name, layers.path(name).path("inputs").get(0));
      }
      byte[] text = json.toString().getBytes(StandardCharsets.UTF_8);
      byte[] tensors = Files.readAllBytes(folder.resolve("new/model.safetensors"));
      ModelArchive.write(
          folder.resolve("old"),
          Map.of("model.json", Content.of(text), "model.safetensors", Content.of(tensors)));
      try (Model loaded = Model.load(folder.resolve("old"))) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.predict(x)).isDeepEqualTo(after.predict(x));
      }
    }
  }

  @Test
  void convolutionsOfSeveralGroupsStayFloat() {
    try (Model before =
            Model.sequential(8, 8, 4)
                .add(Conv2d.of(8, 3, Activation.RELU).withGroups(2))
                .add(Conv2d.of(4, 3))
                .build(1);
        Model after =
            Quantizer.standard().quantize(before, Datasets.of(new float[3][256], new int[3]))) {
      assertThat(after.quantization().layers().keySet()).containsExactly("conv2d_2");
      assertThat(kernels(after, 3))
          .containsExactly("conv2d", "quantize_linear", "quantized_conv2d");
    }
  }

  @Test
  void weightsThatAreNoNumbersAreRefused() {
    try (Model model = lenet(4, 4, 4)) {
      float[] kernel = model.get("conv2d_2/kernel");
      kernel[11] = Float.NaN;
      model.set("conv2d_2/kernel", kernel);
      assertThatThrownBy(() -> Quantizer.standard().quantize(model, data(3)).close())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("NaN");
    }
  }

  /** Static int8 is to lose 0.2 points at most on the digits that come with Crema. */
  @Test
  void digitsAreRecognisedAsWellAsInFloat() {
    Mnist digits = Mnist.sample();
    try (Model before = lenet(32, 64, 128)) {
      Trainer.of(before).seed(1).epochs(3).fit(digits.train());
      double accuracy = accuracy(before, digits);
      assertThat(accuracy).isGreaterThan(0.95);
      for (CalibrationMethod method : CalibrationMethod.values()) {
        Quantizer quantizer = Quantizer.standard().withCalibration(method);
        try (Model after = quantizer.quantize(before, digits.train().take(500))) {
          assertThat(accuracy(after, digits)).as("%s", method).isGreaterThan(accuracy - 0.0021);
        }
      }
    }
  }

  private static double accuracy(Model model, Mnist digits) {
    try (Evaluator evaluator = Evaluator.of(model, digits.test())) {
      return evaluator.evaluate(digits.test()).classification().accuracy();
    }
  }
}
