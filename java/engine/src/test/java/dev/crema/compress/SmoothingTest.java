package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.nn.Activate;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Dropout;
import dev.crema.nn.Flatten;
import dev.crema.nn.Layer;
import dev.crema.nn.LayerNorm;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.RmsNorm;
import dev.crema.nn.Symbol;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SmoothingTest {
  private static final int IN = 32;
  private static final int ROWS = 200;
  private static final float[][] EXAMPLES = examples(IN);

  private static float[][] examples(int width) {
    Random random = new Random(3);
    float[][] x = new float[ROWS][width];
    for (float[] row : x) {
      for (int j = 0; j < width; j++) {
        row[j] = (float) random.nextGaussian();
      }
    }
    return x;
  }

  private static Dataset data(float[][] x) {
    return Datasets.of(x, new int[x.length]);
  }

  private static Model smooth(Model model, float[][] x, double alpha) {
    return Smoothing.smooth(model, data(x), alpha, Set.of(), Device.cpu());
  }

  /** As a transformer's: a normalisation whose channels 3 and 20 reach a hundred times as far. */
  private static Model withOutliers(Layer norm) {
    Symbol x = Symbol.input("x", IN);
    Symbol n = norm.named("norm", x);
    Symbol a = Dense.of(24, Activation.TANH).named("a", n);
    Symbol b = Dense.of(24, Activation.TANH).named("b", n);
    Model model = Model.of(List.of(x), List.of(Dense.of(8).named("out", new Add().apply(a, b))), 7);
    float[] gamma = model.get("norm/gamma");
    float[] beta = new float[IN];
    Random random = new Random(1);
    for (int j = 0; j < IN; j++) {
      gamma[j] *= j == 3 || j == 20 ? 100 : 1;
      beta[j] = (float) random.nextGaussian() * gamma[j];
    }
    model.set("norm/gamma", gamma);
    if (model.table().get("norm/beta") != null) {
      model.set("norm/beta", beta);
    }
    for (String kernel : List.of("a/kernel", "b/kernel")) {
      float[] w = model.get(kernel);
      for (int i = 0; i < w.length; i++) {
        int row = i / 24;
        w[i] *= row == 3 || row == 20 ? 0.01f : 1;
      }
      model.set(kernel, w);
    }
    return model;
  }

  private static double error(Model model, float[][] expected) {
    float[][] actual = model.predict(EXAMPLES);
    double sum = 0;
    double size = 0;
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        sum += Math.pow(actual[i][j] - expected[i][j], 2);
        size += Math.pow(expected[i][j], 2);
      }
    }
    return Math.sqrt(sum / size);
  }

  @Test
  void outliersOfANormalisationNoLongerMakeTheOtherChannelsCoarse() {
    for (Layer norm : List.of(new LayerNorm(), new RmsNorm())) {
      try (Model before = withOutliers(norm);
          Model plain = Quantizer.standard().quantize(before, data(EXAMPLES));
          Model smooth = Quantizer.standard().withSmoothing(0.5).quantize(before, data(EXAMPLES))) {
        float[][] expected = before.predict(EXAMPLES);
        // The outliers reach 100 times as far as the others, which are left 2 of the 255 steps.
        assertThat(error(plain, expected)).isGreaterThan(0.1);
        assertThat(error(smooth, expected)).isLessThan(0.03);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 0.85, 1})
  void theFloatModelPredictsTheSameBits(double alpha) {
    try (Model before = withOutliers(new LayerNorm());
        Model after = smooth(before, EXAMPLES, alpha)) {
      assertThat(after.get("norm/gamma")).isNotEqualTo(before.get("norm/gamma"));
      assertThat(after.get("norm/beta")).isNotEqualTo(before.get("norm/beta"));
      assertThat(after.get("b/kernel")).isNotEqualTo(before.get("b/kernel"));
      assertThat(after.predict(EXAMPLES)).isDeepEqualTo(before.predict(EXAMPLES));
    }
  }

  @Test
  void factorsGoThroughReluPoolingAndFlatteningOfLayersWithoutNormalisation() {
    float[][] x = examples(8 * 8 * 3);
    try (Model before =
        Model.sequential(8, 8, 3)
            .add(Conv2d.of(6, 3))
            .add(new Activate(Activation.RELU))
            .add(new Dropout(0.5))
            .add(MaxPool2d.of(2))
            .add(Conv2d.of(5, 2, Activation.RELU))
            .add(new Flatten())
            .dense(7, Activation.RELU)
            .dense(3)
            .build(2)) {
      float[] bias = before.get("conv2d_1/bias");
      Arrays.fill(bias, 0.3f);
      before.set("conv2d_1/bias", bias);
      try (Model after = smooth(before, x, 0.5)) {
        for (String path :
            List.of("conv2d_1/kernel", "conv2d_1/bias", "conv2d_2/kernel", "dense_1/kernel")) {
          assertThat(after.get(path)).as(path).isNotEqualTo(before.get(path));
        }
        assertThat(after.get("dense_2/bias")).isEqualTo(before.get("dense_2/bias"));
        assertThat(after.predict(x)).isDeepEqualTo(before.predict(x));
      }
    }
  }

  @Test
  void theFactorIsThePowerOfTwoNextToTheFormula() {
    try (Model before = Model.sequential(2).add(new LayerNorm()).dense(1).build(1)) {
      // Two features are normalised to 1 and -1, but for epsilon.
      before.set("layer_norm_1/gamma", new float[] {64, 1});
      before.set("dense_1/kernel", new float[] {0.25f, 4});
      float[][] x = {{1000, -1000}};
      try (Model half = smooth(before, x, 0.5);
          Model all = smooth(before, x, 1)) {
        // √(64 / 0.25) = 16 and √(1 / 4) = 1/2; then 64 and 1.
        assertThat(half.get("layer_norm_1/gamma")).containsExactly(4, 2);
        assertThat(half.get("dense_1/kernel")).containsExactly(4, 2);
        assertThat(all.get("layer_norm_1/gamma")).containsExactly(1, 1);
        assertThat(all.get("dense_1/kernel")).containsExactly(16, 4);
      }
    }
  }

  @Test
  void whatOthersReadTooStaysAsItIs() {
    Symbol x = Symbol.input("x", IN);
    Symbol shared = new LayerNorm().named("shared", x);
    Symbol dense = Dense.of(IN).named("dense", shared);
    Symbol sum = new Add().apply(shared, dense); // reads the normalisation and cannot multiply
    Symbol seen = new LayerNorm().named("seen", sum); // is an output
    Symbol curved = Dense.of(9, Activation.TANH).named("curved", seen);
    Symbol out = Dense.of(2).named("out", curved);
    try (Model before = Model.of(List.of(x), List.of(seen, out), 3);
        Model after = smooth(before, EXAMPLES, 0.5)) {
      before
          .table()
          .all()
          .forEach(
              p -> assertThat(after.get(p.path())).as(p.path()).isEqualTo(before.get(p.path())));
    }
  }

  @Test
  void trainingWithRoundedWeightsBeginsWithTheSmoothedModel() {
    Dataset data = Datasets.regression(EXAMPLES, new float[ROWS][8]);
    Quantizer smoothing = Quantizer.standard().withSmoothing(0.5);
    try (Model before = withOutliers(new LayerNorm());
        Model after =
            QuantizationAwareTraining.train(
                before,
                smoothing,
                data,
                t ->
                    t.loss(Losses.meanSquaredError())
                        .optimizer(Optimizer.sgd(1e-9))
                        .epochs(1)
                        .fit(data))) {
      assertThat(error(after, before.predict(EXAMPLES))).isLessThan(0.03);
    }
  }

  @Test
  void deadChannelsAndRowsOfZerosKeepTheFactorOrAreBounded() {
    try (Model before = withOutliers(new LayerNorm())) {
      float[] gamma = before.get("norm/gamma");
      float[] beta = before.get("norm/beta");
      gamma[0] = 0;
      beta[0] = 0;
      before.set("norm/gamma", gamma);
      before.set("norm/beta", beta);
      for (String kernel : List.of("a/kernel", "b/kernel")) {
        float[] w = before.get(kernel);
        Arrays.fill(w, 24, 48, 0); // of channel 1
        before.set(kernel, w);
      }
      try (Model after = smooth(before, EXAMPLES, 0.5)) {
        assertThat(after.get("a/kernel")[0]).isEqualTo(before.get("a/kernel")[0]);
        assertThat(before.get("norm/gamma")[1] / after.get("norm/gamma")[1]).isBetween(1f, 1024f);
        assertThat(after.predict(EXAMPLES)).isDeepEqualTo(before.predict(EXAMPLES));
      }
    }
  }

  @Test
  void whatHasNoMeaningIsRefused() {
    for (double alpha : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatThrownBy(() -> Quantizer.standard().withSmoothing(alpha))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("" + alpha);
    }
    Quantizer smoothing = Quantizer.standard().withSmoothing(0.5);
    try (Model model = withOutliers(new LayerNorm())) {
      assertThatThrownBy(() -> smoothing.quantize(model, data(EXAMPLES).take(0)).close())
          .hasMessageContaining("needs examples");
      float[] kernel = model.get("b/kernel");
      kernel[3] = Float.NaN;
      model.set("b/kernel", kernel);
      assertThatThrownBy(() -> smoothing.quantize(model, data(EXAMPLES)).close())
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("NaN");
    }
  }
}
