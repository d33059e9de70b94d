package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Datasets;
import dev.crema.data.Mnist;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Activation;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.nn.Symbol;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Dynamic and weight-only quantization of whole models. */
class QuantizationSchemesTest {
  private static final int IN = 70;
  private static final int ROWS = 40;
  private static final float[][] EXAMPLES = examples();

  private static float[][] examples() {
    Random random = new Random(3);
    float[][] x = new float[ROWS][IN];
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < IN; j++) {
        x[i][j] = (float) random.nextGaussian() * (1 + i % 5);
      }
    }
    return x;
  }

  private static Model model() {
    return Model.sequential(IN)
        .dense(40, Activation.RELU)
        .dense(33)
        .dense(24, Activation.SIGMOID)
        .dense(2, Activation.SOFTMAX)
        .build(5);
  }

  static Stream<Quantizer> quantizers() {
    return Stream.of(
            Quantizer.dynamic(),
            Quantizer.weightOnly(8, 0),
            Quantizer.weightOnly(8, 32),
            Quantizer.weightOnly(4, 32),
            Quantizer.weightOnly(4, 0))
        .map(Quantizer::always);
  }

  private static List<String> kernels(Model model, int capacity) {
    try (Predictor p = model.predictor(capacity)) {
      return p.plan().instructions().stream().map(Instruction::kernel).toList();
    }
  }

  private static float[] difference(Model a, Model b) {
    float[][] x = a.predict(EXAMPLES);
    float[][] y = b.predict(EXAMPLES);
    float[] differences = new float[ROWS];
    for (int i = 0; i < ROWS; i++) {
      differences[i] = Math.abs(x[i][0] - y[i][0]);
    }
    return differences;
  }

  @ParameterizedTest
  @MethodSource("quantizers")
  void predictsNearlyWhatTheModelDid(Quantizer quantizer) {
    try (Model before = model();
        Model after = quantizer.quantize(before)) {
      float worst = 0;
      for (float d : difference(before, after)) {
        worst = Math.max(worst, d);
      }
      // Weights in steps of a 14th of their range, or of a 254th.
      assertThat(worst).isLessThan(quantizer.scheme().bits() == 4 ? 0.1f : 0.02f).isPositive();
      String product =
          quantizer.scheme().method().toString().equals("dynamic")
              ? "dynamic_quantized_linear"
              : "weight_only_linear";
      for (int capacity : new int[] {1, 32}) {
        assertThat(kernels(after, capacity)).filteredOn(k -> k.equals(product)).hasSize(4);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("quantizers")
  void aPredictionDoesNotDependOnItsNeighbours(Quantizer quantizer) {
    try (Model before = model();
        Model after = quantizer.quantize(before)) {
      for (CpuDevice device : CpuDevice.levels()) {
        for (int threads : new int[] {1, 3}) {
          try (Predictor p = after.predictor(20, threads, device)) {
            float[][] expected = p.predict(Arrays.copyOf(EXAMPLES, 20));
            float[][] others = Arrays.copyOf(EXAMPLES, 20);
            for (int i = 0; i < 20; i++) {
              if (i != 11) {
                others[i] = new float[IN];
                Arrays.fill(others[i], i % 3 == 0 ? Float.NaN : 1e6f);
              }
            }
            assertThat(p.predict(others)[11]).isEqualTo(expected[11]);
            assertThat(p.predict(others)[0]).containsExactly(Float.NaN, Float.NaN);
          }
        }
      }
    }
  }

  @Test
  void dynamicGivesTheSameBitsEverywhereAndForEveryBatch() {
    try (Model before = Model.sequential(IN).dense(90, Activation.RELU).dense(70).build(2);
        Model after = Quantizer.dynamic().always().quantize(before)) {
      float[][] expected = after.predict(EXAMPLES);
      for (CpuDevice device : CpuDevice.levels()) {
        for (int capacity : new int[] {1, 7, 33}) {
          try (Predictor p = after.predictor(capacity, 2, device)) {
            assertThat(p.predict(EXAMPLES)).isDeepEqualTo(expected);
          }
        }
      }
    }
  }

  /** Weight-only products in float32 are those of the numbers that the weights stand for. */
  @ParameterizedTest
  @CsvSource({"8, 0", "4, 32", "4, 64"})
  void whatIsChosenChangesNoWeightOnlyPrediction(int bits, int group) {
    try (Model before = model();
        Model chosen = Quantizer.weightOnly(bits, group).quantize(before);
        Model always = Quantizer.weightOnly(bits, group).always().quantize(before)) {
      assertThat(chosen.get("dense_1/kernel")).isEqualTo(always.get("dense_1/kernel"));
      float[][] expected = always.predict(EXAMPLES);
      float[][] actual = chosen.predict(EXAMPLES);
      for (int i = 0; i < ROWS; i++) {
        assertThat(actual[i][0]).isCloseTo(expected[i][0], within(1e-5f));
      }
    }
  }

  @Test
  void layersThatReadTheSameAreQuantizedOnce() {
    Symbol x = Symbol.input("x", IN);
    Symbol a = x.then(Dense.of(8));
    Symbol b = x.then(Dense.of(9));
    try (Model before = Model.of(List.of(x), List.of(a, b), 3);
        Model after = Quantizer.dynamic().always().quantize(before)) {
      List<String> all = kernels(after, 8);
      assertThat(all).filteredOn(k -> k.equals("dynamic_quantize_linear")).hasSize(1);
      assertThat(all).filteredOn(k -> k.equals("dynamic_quantized_linear")).hasSize(2);
    }
  }

  @ParameterizedTest
  @MethodSource("quantizers")
  void isSavedAndPredictsTheSameWhenItIsLoaded(Quantizer quantizer, @TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("model");
    try (Model before = Model.sequential(IN).dense(601, Activation.RELU).dense(3).build(2);
        Model after = quantizer.without("dense_2").quantize(before)) {
      before.save(folder.resolve("before"));
      after.save(file);
      double small = Files.size(file.resolve("model.safetensors"));
      double share = small / Files.size(folder.resolve("before/model.safetensors"));
      assertThat(share).isLessThan(quantizer.scheme().bits() == 4 ? 0.23 : 0.35);
      try (Model loaded = Model.load(file);
          Model copy = loaded.copy()) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.quantization().always()).isTrue();
        assertThat(loaded.get("dense_1/kernel")).isEqualTo(after.get("dense_1/kernel"));
        assertThat(loaded.predict(EXAMPLES)).isDeepEqualTo(after.predict(EXAMPLES));
        assertThat(copy.predict(EXAMPLES)).isDeepEqualTo(after.predict(EXAMPLES));
        // Saved again, it is the same file.
        loaded.save(folder.resolve("again"));
        assertThat(folder.resolve("again/model.safetensors"))
            .hasSameBinaryContentAs(file.resolve("model.safetensors"));
      }
      // What a library reads that knows only static quantization: another version.
      assertThat(Json.read(file.resolve("model.json")).path("version").asInt()).isEqualTo(5);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"version\":5 | \"version\":3 | version 3",
        "\"version\":5 | \"version\":6 | version 6",
        "\"bits\":4 | \"bits\":3 | got 3",
        "\"bits\":4 | \"bits\":8 | dense_1/kernel",
        "\"group_size\":32 | \"group_size\":33 | got 33",
        "\"group_size\":32 | \"group_size\":64 | dense_1/kernel.scale",
        "\"group_size\":32 | \"group_size\":\"32\" | group_size",
        "weight-only | weightless | weightless",
        "\"dense_1\":{\"m | \"dense_9\":{\"m | dense_9"
      })
  void aFileThatContradictsItselfIsRefused(
      String text, String other, String message, @TempDir Path folder) throws IOException {
    try (Model before = Model.sequential(IN).dense(5, Activation.RELU).build(2);
        Model after = Quantizer.weightOnly(4, 32).quantize(before)) {
      after.save(folder.resolve("m"));
    }
    JsonNode json = Json.read(folder.resolve("m/model.json"));
    assertThat(json.toString()).contains(text);
    byte[] changed = json.toString().replace(text, other).getBytes(StandardCharsets.UTF_8);
    byte[] tensors = Files.readAllBytes(folder.resolve("m/model.safetensors"));
    refusedFile(folder, changed, tensors, message);
  }

  @Test
  void aNumberThatNoWeightBecomesIsRefused(@TempDir Path folder) throws IOException {
    try (Model before = Model.sequential(32).dense(1).build(2)) {
      before.set("dense_1/kernel", new float[32]);
      try (Model after = Quantizer.weightOnly(4, 32).quantize(before)) {
        after.save(folder.resolve("m"));
      }
    }
    byte[] json = Files.readAllBytes(folder.resolve("m/model.json"));
    byte[] tensors = Files.readAllBytes(folder.resolve("m/model.safetensors"));
    String text = new String(tensors, StandardCharsets.ISO_8859_1);
    int data = 8 + (int) ByteBuffer.wrap(tensors).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    int at = text.indexOf("dense_1/kernel.int4");
    Matcher offset =
        java.util.regex.Pattern.compile("offsets\":\\[(\\d+)").matcher(text.substring(at));
    assertThat(offset.find()).isTrue();
    int begin = Integer.parseInt(offset.group(1));
    tensors[data + begin + 7] = (byte) 0x80; // the upper half is -8
    refusedFile(folder, json, tensors, "holds -8");
  }

  private static void refusedFile(Path folder, byte[] json, byte[] tensors, String message)
      throws IOException {
    ModelArchive.write(
        folder.resolve("changed"),
        Map.of("model.json", Content.of(json), "model.safetensors", Content.of(tensors)));
    assertThatThrownBy(() -> Model.load(folder.resolve("changed")).close())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void constantsZerosAndTheGreatestWeightsAreKept() {
    for (Quantizer quantizer : quantizers().toList()) {
      try (Model before = Model.sequential(IN).dense(8).build(1)) {
        before.set("dense_1/kernel", new float[IN * 8]);
        before.set("dense_1/bias", new float[] {1, 2, 3, 0, 0, -4, 0, 1e30f});
        try (Model after = quantizer.quantize(before)) {
          assertThat(after.predict(EXAMPLES[0])).containsExactly(1, 2, 3, 0, 0, -4, 0, 1e30f);
        }
        float[] kernel = new float[IN * 8];
        kernel[0] = Float.MAX_VALUE;
        before.set("dense_1/kernel", kernel);
        try (Model after = quantizer.quantize(before)) {
          float most = after.get("dense_1/kernel")[0];
          assertThat(most / Float.MAX_VALUE).isCloseTo(1, within(1e-6f));
        }
        kernel[0] = Float.MIN_VALUE; // smaller than any scale: it becomes 0
        before.set("dense_1/kernel", kernel);
        try (Model after = quantizer.quantize(before)) {
          assertThat(after.get("dense_1/kernel")[0]).isZero();
        }
      }
    }
  }

  @Test
  void whatCannotBeQuantizedIsRefusedWithItsName() {
    try (Model model = model()) {
      assertThatThrownBy(() -> Quantizer.standard().quantize(model).close())
          .hasMessageContaining("Give them examples");
      for (Quantizer quantizer : quantizers().toList()) {
        refused(quantizer.without("nowhere"), model, "nowhere");
        refused(
            quantizer.without("dense_1", "dense_2", "dense_3", "dense_4"),
            model,
            "No layer of this model");
        try (Model done = quantizer.quantize(model)) {
          refused(quantizer, done, "already");
          assertThatThrownBy(() -> Trainer.of(done))
              .isInstanceOf(CremaException.class)
              .hasMessageContaining("A quantized model can't be trained: dense_1, ");
        }
        assertThatThrownBy(
                () ->
                    QuantizationAwareTraining.train(
                        model, quantizer, Datasets.of(EXAMPLES, new int[ROWS]), t -> {}))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("Quantizer.standard()");
      }
      for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
        float[] kernel = model.get("dense_4/kernel");
        kernel[3] = bad;
        model.set("dense_4/kernel", kernel);
        for (Quantizer quantizer : quantizers().toList()) {
          refused(quantizer, model, "dense_4/kernel holds " + bad);
        }
      }
    }
    assertThatThrownBy(() -> Quantizer.weightOnly(5, 0)).hasMessageContaining("5");
    assertThatThrownBy(() -> Quantizer.weightOnly(4, 20)).hasMessageContaining("20");
    try (Model images = Model.sequential(8, 8, 1).add(Conv2d.of(3, 3)).build(1)) {
      refused(Quantizer.dynamic(), images, "No layer of this model");
    }
  }

  private static void refused(Quantizer quantizer, Model model, String message) {
    assertThatThrownBy(() -> quantizer.quantize(model).close())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  /** Dynamic int8 loses as little as static; int4 in groups a little more. */
  @Test
  void digitsAreRecognisedAsWellAsInFloat() {
    Mnist digits = Mnist.sample();
    try (Model before =
        Model.sequential(784)
            .dense(128, Activation.RELU)
            .dense(64, Activation.RELU)
            .dense(10, Activation.SOFTMAX)
            .build(1)) {
      Trainer.of(before).seed(1).epochs(4).fit(digits.train());
      double accuracy = accuracy(before, digits);
      assertThat(accuracy).isGreaterThan(0.9);
      for (Quantizer quantizer : quantizers().toList()) {
        double loss = quantizer.scheme().bits() == 8 ? 0.0021 : 0.0101;
        try (Model after = quantizer.quantize(before)) {
          assertThat(accuracy(after, digits))
              .as("%s", quantizer.scheme())
              .isGreaterThan(accuracy - loss);
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
