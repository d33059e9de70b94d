package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Mnist;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.nn.Symbol;
import dev.crema.op.EveryDevice;
import dev.crema.op.Fp8;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models whose dense layers compute with numbers of 8 bits. */
class Fp8QuantizationTest {
  private static final int IN = 70;
  private static final float[][] EXAMPLES = examples();
  private static final Dataset DATA = Datasets.of(EXAMPLES, new int[EXAMPLES.length]);

  private static float[][] examples() {
    Random random = new Random(3);
    float[][] x = new float[40][IN];
    for (float[] row : x) {
      for (int j = 0; j < IN; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  private static Model model() {
    return Model.sequential(IN)
        .dense(40, Activation.RELU)
        .dense(24, Activation.SIGMOID)
        .dense(2, Activation.SOFTMAX)
        .build(5);
  }

  private static Model always(Model model) {
    return Quantizer.fp8().always().quantize(model, DATA);
  }

  private static List<String> kernels(Model model) {
    try (Predictor p = model.predictor(8)) {
      return p.plan().instructions().stream().map(Instruction::kernel).toList();
    }
  }

  @Test
  void everyDevicePredictsNearlyWhatTheModelDid() {
    try (Model before = model();
        Model after = always(before)) {
      assertThat(kernels(after)).filteredOn(k -> k.equals("fp8_linear")).hasSize(3);
      float[][] expected = before.predict(EXAMPLES);
      EveryDevice.check(
          device -> {
            try (Predictor p = after.predictor(40, 1, device)) {
              float[][] y = p.predict(EXAMPLES);
              float worst = 0;
              for (int i = 0; i < y.length; i++) {
                worst = Math.max(worst, Math.abs(y[i][0] - expected[i][0]));
              }
              // Three bits of a fraction: each number is off by up to a 16th of itself.
              assertThat(worst).as("%s", device).isPositive().isLessThan(0.05f);
            }
          });
    }
  }

  @Test
  void weightsAreTheNearestMultiplesOfTheirScales() {
    try (Model before = Model.sequential(IN).dense(9).build(1);
        Model after = always(before)) {
      float[] old = before.get("dense_1/kernel");
      float[] now = after.get("dense_1/kernel");
      float[] scales = after.quantization().layers().get("dense_1").weightScales();
      for (int i = 0; i < old.length; i++) {
        float scale = scales[i % 9];
        assertThat(now[i]).isEqualTo(Fp8.valueOf(Fp8.of(old[i] / scale)) * scale);
      }
    }
  }

  @Test
  void layersThatReadTheSameAreQuantizedOnce() {
    Symbol x = Symbol.input("x", IN);
    Symbol sum = new Add().apply(x.then(Dense.of(8)), x.then(Dense.of(8)));
    try (Model before = Model.of(List.of(x), List.of(sum), 3);
        Model after = always(before)) {
      assertThat(kernels(after)).filteredOn(k -> k.equals("quantize_fp8")).hasSize(1);
      assertThat(kernels(after)).filteredOn(k -> k.equals("fp8_linear")).hasSize(2);
    }
  }

  @Test
  void isSavedAndPredictsTheSameWhenItIsLoaded(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("model");
    try (Model before = model();
        Model after = always(before)) {
      after.save(file);
      try (Model loaded = Model.load(file)) {
        assertThat(loaded.quantization()).isEqualTo(after.quantization());
        assertThat(loaded.get("dense_1/kernel")).isEqualTo(after.get("dense_1/kernel"));
        assertThat(loaded.predict(EXAMPLES)).isDeepEqualTo(after.predict(EXAMPLES));
        loaded.save(folder.resolve("again"));
        assertThat(folder.resolve("again/model.safetensors"))
            .hasSameBinaryContentAs(file.resolve("model.safetensors"));
      }
      assertThat(Json.read(file.resolve("model.json")).path("version").asInt()).isEqualTo(6);
    }
  }

  @Test
  void aFileThatContradictsItselfIsRefused(@TempDir Path folder) throws IOException {
    try (Model before = Model.sequential(IN).dense(5).build(2);
        Model after = always(before)) {
      after.save(folder.resolve("m"));
    }
    String json = Json.read(folder.resolve("m/model.json")).toString();
    byte[] tensors = Files.readAllBytes(folder.resolve("m/model.safetensors"));
    refused(folder, json.replace("\"version\":6", "\"version\":5"), tensors, "version 5");
    refused(folder, json.replace("\"version\":6", "\"version\":7"), tensors, "version 7");
    refused(folder, json.replace("\"zero_point\":0", "\"zero_point\":3"), tensors, "zero point 0");
    refused(folder, json.replaceAll("\"scale\":[^,]*", "\"scale\":0"), tensors, "scale");
    refused(folder, json.replace("\"bits\":8", "\"bits\":4"), tensors, "got 4");
    String text = new String(tensors, StandardCharsets.ISO_8859_1);
    int data = 8 + (int) ByteBuffer.wrap(tensors).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    int at = text.indexOf("dense_1/kernel.fp8");
    Matcher offset = Pattern.compile("offsets\":\\[(\\d+)").matcher(text.substring(at));
    assertThat(offset.find()).isTrue();
    tensors[data + Integer.parseInt(offset.group(1)) + 7] = (byte) 0xff;
    refused(folder, json, tensors, "NaN");
  }

  private static void refused(Path folder, String json, byte[] tensors, String message) {
    ModelArchive.write(
        folder.resolve("changed"),
        Map.of(
            "model.json",
            Content.of(json.getBytes(StandardCharsets.UTF_8)),
            "model.safetensors",
            Content.of(tensors)));
    assertThatThrownBy(() -> Model.load(folder.resolve("changed")).close())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void whatCannotBeQuantizedIsRefusedWithItsName() {
    Quantizer fp8 = Quantizer.fp8();
    try (Model model = model()) {
      assertThatThrownBy(() -> fp8.quantize(model).close())
          .hasMessageContaining("Give them examples");
      Dataset none = DATA.take(0);
      refused(fp8, model, none, "Calibration needs examples");
      refused(fp8.without("nowhere"), model, DATA, "nowhere");
      try (Model done = fp8.quantize(model, DATA)) {
        refused(fp8, done, DATA, "already");
      }
      assertThatThrownBy(() -> QuantizationAwareTraining.train(model, fp8, DATA, t -> {}))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("Quantizer.standard()");
      float[][] bad = examples();
      bad[3][4] = Float.NaN;
      refused(fp8, model, Datasets.of(bad, new int[bad.length]), "dense_1 is NaN");
      float[] kernel = model.get("dense_2/kernel");
      kernel[3] = Float.NaN;
      model.set("dense_2/kernel", kernel);
      refused(fp8.without("dense_3"), model, DATA, "NaN");
    }
  }

  private static void refused(Quantizer quantizer, Model model, Dataset data, String message) {
    assertThatThrownBy(() -> quantizer.quantize(model, data).close())
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(message);
  }

  /** In twelve trainings by other seeds the change was -0.15 to 0.3 points of 2,000 digits. */
  @Test
  void digitsAreRecognisedAsWellAsInFloat() {
    Mnist digits = Mnist.sample();
    try (Model dense =
            Model.sequential(784)
                .dense(64, Activation.RELU)
                .dense(64, Activation.RELU)
                .dense(10, Activation.SOFTMAX)
                .build(1);
        Model lenet =
            Model.of(
                BuiltIn.topology("lenet", new long[] {28, 28, 1}, BuiltIn.Output.CLASSES, 10), 1)) {
      for (Model before : List.of(dense, lenet)) {
        Trainer.of(before).seed(1).epochs(before == dense ? 4 : 2).fit(digits.train());
        double accuracy = accuracy(before, digits);
        assertThat(accuracy).isGreaterThan(0.9);
        Dataset examples = digits.train().sample(500, 1);
        try (Model after = Quantizer.fp8().always().quantize(before, examples)) {
          int convolutions = before == dense ? 0 : 2;
          assertThat(kernels(after)).filteredOn(k -> k.equals("fp8_linear")).hasSize(3);
          assertThat(kernels(after)).filteredOn(k -> k.equals("conv2d")).hasSize(convolutions);
          assertThat(accuracy(after, digits)).isGreaterThan(accuracy - 0.005);
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
