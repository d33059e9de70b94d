package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Mnist;
import dev.crema.device.Device;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.BatchNorm;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.GlobalAveragePool;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.nn.Symbol;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which layers bear bytes, and models in which only some layers have them. */
class QuantizationSensitivityTest {
  private static final Mnist DIGITS = Mnist.sample10x10();

  private static Evaluation evaluate(Model model, Dataset data) {
    try (Evaluator evaluator = Evaluator.of(model, data, 1, Device.cpu())) {
      return evaluator.evaluate(data);
    }
  }

  private static Model trained() {
    Model model =
        Model.sequential(100)
            .dense(24, Activation.RELU)
            .dense(16, Activation.RELU)
            .dense(10)
            .build(1);
    Trainer.of(model).epochs(3).threads(1).fit(DIGITS.train());
    return model;
  }

  /**
   * Changes nothing of what a model computes and makes one of its layers impossible to round: unit
   * 0 of the layer before it gives 0 always, and the weights that read that are huge, so that a
   * step of int8 is greater than all others.
   */
  static void makeSensitive(Model model, String before, String layer) {
    float[] kernel = model.get(before + "/kernel");
    float[] bias = model.get(before + "/bias");
    for (int i = 0; i < kernel.length; i += bias.length) {
      kernel[i] = 0;
    }
    bias[0] = 0;
    model.set(before + "/kernel", kernel);
    model.set(before + "/bias", bias);
    float[] next = model.get(layer + "/kernel");
    int units = (int) model.table().get(layer + "/kernel").type().extent(-1);
    for (int j = 0; j < units; j++) {
      next[j] = 1000;
    }
    model.set(layer + "/kernel", next);
  }

  @Test
  void eachLayerIsQuantizedAloneAndTheModelStaysAsItIs() {
    Dataset calibration = DIGITS.train().take(300);
    Dataset held = DIGITS.test().take(500);
    try (Model model = trained()) {
      float[] before = model.get("dense_1/kernel");
      Quantizer quantizer = Quantizer.standard().withCalibration(CalibrationMethod.MSE);
      QuantizationSensitivity s =
          QuantizationSensitivity.of(model, quantizer, calibration, held, 1, Device.cpu());
      assertThat(model.quantization()).isNull();
      assertThat(model.get("dense_1/kernel")).isEqualTo(before);
      Evaluation whole = evaluate(model, held);
      assertThat(s.metric()).isEqualTo("accuracy");
      assertThat(s.unquantized().value()).isEqualTo(whole.classification().accuracy());
      assertThat(s.unquantized().loss()).isEqualTo(whole.loss());
      String[] names = {"dense_1", "dense_2", "dense_3"};
      assertThat(s.layers()).extracting(QuantizationSensitivity.Row::layer).containsExactly(names);
      assertThat(s.layers().get(1).weights()).isEqualTo(24 * 16);
      for (int i = 0; i < names.length; i++) {
        String[] others = {names[(i + 1) % 3], names[(i + 2) % 3]};
        try (Model alone = quantizer.without(others).quantize(model, calibration)) {
          assertThat(alone.quantization().layers()).containsOnlyKeys(names[i]);
          assertThat(s.layers().get(i).measure().loss()).isEqualTo(evaluate(alone, held).loss());
        }
      }
      try (Model all = quantizer.quantize(model, calibration)) {
        assertThat(s.quantized().loss()).isEqualTo(evaluate(all, held).loss());
      }
      assertThat(s.toString()).contains("none", "dense_2", "all", "accuracy", "loss", "change");
      assertThat(s.toJson().at("/layers")).hasSize(3);
      assertThat(s.toJson().at("/layers/2/weights").asLong()).isEqualTo(160);
    }
  }

  @Test
  void aLayerThatDoesNotBearRoundingIsFoundAndLeavingItFloatRestoresTheAccuracy() {
    Dataset calibration = DIGITS.train().take(300);
    try (Model model = trained()) {
      makeSensitive(model, "dense_1", "dense_2");
      double accuracy = evaluate(model, DIGITS.test()).classification().accuracy();
      assertThat(accuracy).isGreaterThan(0.7);
      QuantizationSensitivity s =
          QuantizationSensitivity.of(model, Quantizer.standard(), calibration, DIGITS.test());
      assertThat(s.mostSensitive()).hasSize(3).startsWith("dense_2");
      assertThat(s.quantized().value()).isLessThan(0.3);
      assertThat(s.layers().get(0).measure().value()).isGreaterThan(accuracy - 0.01);
      assertThat(s.layers().get(1).measure().value()).isLessThan(0.3);
      String[] worst = s.mostSensitive().stream().limit(1).toArray(String[]::new);
      try (Model mixed = Quantizer.standard().without(worst).quantize(model, calibration)) {
        assertThat(mixed.quantization().layers()).containsOnlyKeys("dense_1", "dense_3");
        assertThat(evaluate(mixed, DIGITS.test()).classification().accuracy())
            .isGreaterThan(accuracy - 0.01);
      }
    }
  }

  @Test
  void mixedModelsOfEveryKindAreSavedAndGiveTheSameBitsWhenTheyAreLoaded(@TempDir Path folder) {
    Symbol x = Symbol.input("x", 10, 10, 1);
    Symbol a =
        x.then(Conv2d.of(8, 3, Activation.LINEAR).withPadding(Padding.SAME))
            .then(new BatchNorm())
            .then(new Activate(Activation.RELU));
    Symbol b = a.then(Conv2d.of(8, 3, Activation.LINEAR).withPadding(Padding.SAME));
    Symbol sum = new Add().apply(a, b).then(new Activate(Activation.RELU));
    Symbol y = sum.then(new GlobalAveragePool()).then(Dense.of(10));
    float[][] examples = new float[40][100];
    Random random = new Random(2);
    for (float[] row : examples) {
      for (int i = 0; i < row.length; i++) {
        row[i] = random.nextFloat();
      }
    }
    Dataset train = DIGITS.train().take(1000);
    try (Model model = Model.of(List.of(x), List.of(y), 1)) {
      Trainer.of(model).epochs(1).threads(1).fit(train);
      List<String> layers = Quantizer.standard().layers(model);
      assertThat(layers).hasSize(3);
      for (String left : layers) {
        Path file = folder.resolve(left);
        try (Model mixed = Quantizer.standard().without(left).quantize(model, train)) {
          mixed.save(file);
          try (Model loaded = Model.load(file)) {
            assertThat(loaded.quantization()).isEqualTo(mixed.quantization());
            assertThat(loaded.quantization().layers()).doesNotContainKey(left);
            float[][] expected = mixed.predict(examples);
            assertThat(loaded.predict(examples)).isDeepEqualTo(expected);
            try (var one = loaded.predictor(1, 1, Device.cpu());
                var many = mixed.predictor(1, 1, Device.cpu())) {
              assertThat(one.predict(examples)).isDeepEqualTo(many.predict(examples));
            }
            // The layer that was left out has its weights to the bit.
            String kernel = left + "/kernel";
            try (Model folded = BatchNormFolding.fold(model)) {
              assertThat(loaded.get(kernel)).isEqualTo(folded.get(kernel));
            }
          }
        }
      }
    }
  }

  @Test
  void layersThatAreLeftOutHaveNoRowAndRegressionsAreMeasuredByTheirError() {
    Random random = new Random(4);
    float[][] in = new float[120][6];
    float[][] out = new float[120][1];
    for (int i = 0; i < in.length; i++) {
      for (int j = 0; j < 6; j++) {
        in[i][j] = (float) random.nextGaussian();
      }
      out[i][0] = in[i][0] - 2 * in[i][3];
    }
    Dataset data = Datasets.regression(in, out);
    try (Model model = Model.sequential(6).dense(20, Activation.RELU).dense(8).dense(1).build(1)) {
      QuantizationSensitivity s =
          QuantizationSensitivity.of(model, Quantizer.standard().without("dense_2"), data, data);
      assertThat(s.metric()).isEqualTo("mae");
      assertThat(s.layers())
          .extracting(QuantizationSensitivity.Row::layer)
          .containsExactly("dense_1", "dense_3");
      assertThatThrownBy(
              () ->
                  QuantizationSensitivity.of(
                      model, Quantizer.standard().without("dense_9"), data, data))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("dense_9");
      try (Model done = Quantizer.standard().quantize(model, data)) {
        assertThatThrownBy(() -> QuantizationSensitivity.of(done, Quantizer.standard(), data, data))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining("quantized already");
      }
      assertThatThrownBy(
              () -> QuantizationSensitivity.of(model, Quantizer.standard(), data.take(0), data))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("needs examples");
      assertThat(model.quantization()).isNull();
    }
  }
}
