package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
import dev.crema.nn.Dense;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.nn.Symbol;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizerTest {
  private static final int IN = 20;
  private static final int ROWS = 300;
  private static final float[][] EXAMPLES = examples();

  private static float[][] examples() {
    Random random = new Random(3);
    float[][] x = new float[ROWS][IN];
    for (float[] row : x) {
      for (int j = 0; j < IN; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  private static Dataset data(int rows) {
    int[] y = new int[rows];
    for (int i = 0; i < rows; i++) {
      y[i] = EXAMPLES[i][0] > 0 ? 1 : 0;
    }
    return Datasets.of(Arrays.copyOf(EXAMPLES, rows), y);
  }

  private static Model model() {
    return Model.sequential(IN)
        .dense(40, Activation.RELU)
        .dense(33)
        .dense(24, Activation.SIGMOID)
        .dense(2, Activation.SOFTMAX)
        .build(5);
  }

  private static List<String> kernels(Model model, int capacity) {
    try (Predictor p = model.predictor(capacity)) {
      return p.plan().instructions().stream().map(Instruction::kernel).toList();
    }
  }

  @ParameterizedTest
  @EnumSource
  void predictsNearlyWhatTheModelDid(CalibrationMethod method) {
    try (Model before = model();
        Model after = Quantizer.standard().withCalibration(method).quantize(before, data(ROWS))) {
      float[][] expected = before.predict(EXAMPLES);
      float[][] actual = after.predict(EXAMPLES);
      double sum = 0;
      for (int i = 0; i < ROWS; i++) {
        sum += Math.abs(actual[i][0] - expected[i][0]) / ROWS;
      }
      // Four layers of inputs in steps of 1/255 of their range.
      assertThat(sum).isLessThan(0.01).isPositive();
    }
  }

  @Test
  void nothingIsFloatBetweenLayersButWhereAnActivationNeedsIt() {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data(ROWS))) {
      for (int capacity : new int[] {1, 32}) {
        List<String> all = kernels(after, capacity);
        assertThat(all.stream().filter(k -> k.startsWith("pack")))
            .containsExactly(
                "pack_quantized", "pack_quantized", "pack_quantized", "pack_quantized");
        assertThat(all.stream().filter(k -> !k.startsWith("pack")))
            .containsExactly(
                "quantize_linear",
                "quantized_linear",
                "quantized_linear",
                "quantized_linear",
                "elementwise",
                "quantize_linear",
                "quantized_linear",
                "softmax");
      }
    }
  }

  @Test
  void everyInstructionSetThreadCountAndBatchGivesTheSameBits() {
    try (Model before = Model.sequential(IN).dense(90, Activation.RELU).dense(70).build(2);
        Model after = Quantizer.standard().quantize(before, data(ROWS))) {
      float[][] expected = after.predict(EXAMPLES);
      for (Device device : CpuDevice.levels()) {
        for (int threads : new int[] {1, 3}) {
          for (int capacity : new int[] {1, 7, 33}) {
            try (Predictor p = after.predictor(capacity, threads, device)) {
              assertThat(p.predict(EXAMPLES)).isDeepEqualTo(expected);
            }
          }
        }
      }
    }
  }

  @Test
  void someLayersMayStayFloatAndHaveTheirOwnPackedWeights() {
    try (Model before = model();
        Model after = Quantizer.standard().without("dense_2").quantize(before, data(ROWS))) {
      assertThat(kernels(after, 32)).contains("pack_weights", "pack_quantized", "linear");
      float[][] many = after.predict(EXAMPLES);
      for (int i = 0; i < 20; i++) {
        float[] one = after.predict(EXAMPLES[i]);
        // The float layer sums in another order; a byte behind it may be rounded the other way.
        assertThat(one[0]).isCloseTo(many[i][0], within(0.01f));
      }
    }
  }

  @Test
  void isSavedAsInt8AndPredictsTheSameWhenItIsLoaded(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("model");
    try (Model before = Model.sequential(IN).dense(600, Activation.RELU).dense(2).build(2);
        Model after = Quantizer.standard().quantize(before, data(ROWS))) {
      before.save(folder.resolve("before"));
      after.save(file);
      long small = Files.size(file.resolve("model.safetensors"));
      assertThat(small).isLessThan(Files.size(folder.resolve("before/model.safetensors")) / 2);
      try (Model loaded = Model.load(file);
          Model copy = loaded.copy()) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.get("dense_1/kernel")).isEqualTo(after.get("dense_1/kernel"));
        assertThat(loaded.predict(EXAMPLES)).isDeepEqualTo(after.predict(EXAMPLES));
        assertThat(copy.predict(EXAMPLES)).isDeepEqualTo(after.predict(EXAMPLES));
      }
      // What a library reads that knows no quantization: another version.
      assertThat(Json.read(file.resolve("model.json")).path("version").asInt()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"version\":3 | \"version\":1 | format version 1",
        "\"int8\" | \"int5\" | int8",
        "\"dense_2\":{ | \"dense_9\":{ | dense_9",
        "\"zero_point\" | \"zero\" | zero_point",
        "\"scale\": | \"scale\":- | more than 0",
        "\"quantization\" | \"quantisation\" | version 3"
      })
  void aFileThatContradictsItselfIsRefused(
      String text, String other, String message, @TempDir Path folder) throws IOException {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data(50))) {
      after.save(folder.resolve("m"));
    }
    String json = Json.read(folder.resolve("m/model.json")).toString(); // without spaces
    assertThat(json).contains(text);
    byte[] changed = json.replace(text, other).getBytes(StandardCharsets.UTF_8);
    byte[] tensors = Files.readAllBytes(folder.resolve("m/model.safetensors"));
    ModelArchive.write(
        folder.resolve("changed"),
        Map.of("model.json", Content.of(changed), "model.safetensors", Content.of(tensors)));
    assertThatThrownBy(() -> Model.load(folder.resolve("changed")).close())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void isNotTrainedFurther() {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data(ROWS))) {
      assertThatThrownBy(() -> Trainer.of(after))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("A quantized model can't be trained: dense_1, ")
          .hasMessageContaining("quantize that again");
    }
  }

  @Test
  void anEvaluationIsOfTheInt8Model() {
    try (Model before = model();
        Model after = Quantizer.standard().quantize(before, data(ROWS));
        Evaluator a = Evaluator.of(before, data(ROWS));
        Evaluator b = Evaluator.of(after, data(ROWS))) {
      double difference = b.evaluate(data(ROWS)).loss() - a.evaluate(data(ROWS)).loss();
      assertThat(Math.abs(difference)).isPositive().isLessThan(0.02);
    }
  }

  @Test
  void aSharedLayerHasOneKernelAndARangeForEachPlace() {
    Dense shared = Dense.of(IN, Activation.RELU);
    Symbol x = Symbol.input("x", IN);
    try (Model before =
            Model.of(List.of(x), List.of(x.then(shared).then(shared).then(Dense.of(2))), 3);
        Model after = Quantizer.standard().quantize(before, data(ROWS))) {
      assertThat(after.quantization().layers()).hasSize(3);
      assertThat(after.quantization().layers().get("dense_1").input())
          .isNotEqualTo(after.quantization().layers().get("dense_2").input());
      float[][] expected = before.predict(EXAMPLES);
      float[][] actual = after.predict(EXAMPLES);
      assertThat(actual[7][0]).isCloseTo(expected[7][0], within(0.05f));
    }
  }

  @Test
  void constantActivationsAndColumnsOfZerosAreKept() {
    try (Model before = Model.sequential(IN).dense(8, Activation.RELU).dense(2).build(1)) {
      before.set("dense_1/kernel", new float[IN * 8]); // its output is the bias, always
      before.set("dense_1/bias", new float[] {1, 2, 3, 0, 0, 0, 0, 0});
      try (Model after = Quantizer.standard().quantize(before, data(ROWS))) {
        float[] expected = before.predict(EXAMPLES[0]);
        assertThat(after.predict(EXAMPLES[0])[0]).isCloseTo(expected[0], within(0.03f));
      }
      before.set("dense_1/bias", new float[8]); // and now always 0
      try (Model after = Quantizer.standard().quantize(before, data(ROWS))) {
        assertThat(after.predict(EXAMPLES[0])).containsExactly(0, 0);
      }
      before.set("dense_1/bias", new float[] {1e30f, 0, 0, 0, 0, 0, 0, 0}); // fits int32 somehow
      try (Model after = Quantizer.standard().quantize(before, data(ROWS))) {
        assertThat(after.get("dense_1/bias")[0]).isEqualTo(1e30f);
        assertThat(after.predict(EXAMPLES[0])[0] / before.predict(EXAMPLES[0])[0])
            .isCloseTo(1, within(0.03f));
      }
    }
  }

  @Test
  void whatCannotBeQuantizedIsRefusedWithItsName() {
    Quantizer quantizer = Quantizer.standard();
    try (Model model = model()) {
      refused(quantizer, model, data(ROWS).take(0), "no examples|needs examples");
      refused(quantizer.without("nowhere"), model, data(ROWS), "nowhere");
      refused(
          quantizer.without("dense_1", "dense_2", "dense_3", "dense_4"),
          model,
          data(ROWS),
          "No layer of this model");
      refused(quantizer, model, Datasets.of(new float[3][IN + 1], new int[3]), "\\[n, 20\\]");
      float[][] bad = {EXAMPLES[0].clone(), EXAMPLES[1].clone()};
      bad[1][4] = Float.NaN;
      refused(quantizer, model, Datasets.of(bad, new int[2]), "dense_1 is NaN");
      try (Model done = quantizer.quantize(model, data(ROWS))) {
        refused(quantizer, done, data(ROWS), "already");
      }
      float[] kernel = model.get("dense_4/kernel");
      for (float broken : new float[] {Float.POSITIVE_INFINITY, Float.NaN}) {
        kernel[3] = broken;
        model.set("dense_4/kernel", kernel);
        refused(quantizer, model, data(ROWS), "dense_4/kernel holds " + broken);
      }
      model.set("dense_4/kernel", new float[kernel.length]);
      model.set("dense_4/bias", new float[] {0, Float.NaN});
      refused(quantizer, model, data(ROWS), "dense_4/bias holds NaN");
    }
    try (Model model = Model.sequential(IN).add(new LayerNorm()).build(1)) {
      refused(quantizer, model, data(ROWS), "No layer of this model");
    }
  }

  private static void refused(Quantizer quantizer, Model model, Dataset data, String message) {
    assertThatThrownBy(() -> quantizer.quantize(model, data).close())
        .isInstanceOf(CremaException.class)
        .message()
        .containsPattern(message);
  }

  /** Static int8 is to lose 0.2 points at most on the digits that come with Crema. */
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
