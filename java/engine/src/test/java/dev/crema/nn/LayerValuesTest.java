package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** That layers hand their settings on as they say; the ops have tests of their own. */
class LayerValuesTest {
  private static float[] random(long seed, int elements) {
    Random random = new Random(seed);
    float[] x = new float[elements];
    for (int i = 0; i < elements; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static Model one(Layer layer, long... shape) {
    Symbol x = Symbol.input("x", shape);
    return Model.of(List.of(x), List.of(layer.named("layer", x)), 3);
  }

  private static float[] apply(Layer layer, float[] x, long... shape) {
    try (Model model = one(layer, shape)) {
      return model.predict(x);
    }
  }

  /** TensorFlow's rule for "same": the zeros before are the smaller half. */
  private static int before(int extent, int kernel, int stride, int dilation) {
    int windows = (extent + stride - 1) / stride;
    return Math.max(0, (windows - 1) * stride + (kernel - 1) * dilation + 1 - extent) / 2;
  }

  static Stream<Arguments> convolutions() {
    Conv2d conv = Conv2d.of(4, 3, 2).withPadding(Padding.SAME);
    return Stream.of(
        arguments(conv),
        arguments(conv.withStrides(2)),
        arguments(conv.withStrides(2, 3)),
        arguments(conv.withDilation(2)),
        arguments(conv.withGroups(2).withoutBias()),
        arguments(Conv2d.of(4, 4).withPadding(Padding.SAME).withStrides(3)));
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void samePaddingIsThatOfTensorFlow(Conv2d layer) {
    int h = 6;
    int w = 7;
    int in = 2;
    float[] x = random(1, h * w * in);
    try (Model model = one(layer, h, w, in)) {
      float[] kernel = model.get("layer/kernel");
      float[] bias = layer.bias() ? random(2, 4) : new float[4];
      if (layer.bias()) {
        model.set("layer/bias", bias);
      }
      float[] y = model.predict(x);
      int sh = layer.strides().height();
      int sw = layer.strides().width();
      int rows = (h + sh - 1) / sh;
      int columns = (w + sw - 1) / sw;
      assertThat(y).hasSize(rows * columns * 4);
      int top = before(h, layer.kernel().height(), sh, layer.dilation().height());
      int left = before(w, layer.kernel().width(), sw, layer.dilation().width());
      int perGroup = in / layer.groups();
      for (int i = 0; i < y.length; i++) {
        int f = i % 4;
        int column = i / 4 % columns;
        int row = i / 4 / columns;
        double sum = bias[f];
        for (int kr = 0; kr < layer.kernel().height(); kr++) {
          for (int kc = 0; kc < layer.kernel().width(); kc++) {
            int r = row * sh + kr * layer.dilation().height() - top;
            int c = column * sw + kc * layer.dilation().width() - left;
            if (r < 0 || r >= h || c < 0 || c >= w) {
              continue;
            }
            for (int g = 0; g < perGroup; g++) {
              int channel = f / (4 / layer.groups()) * perGroup + g;
              int tap = ((kr * layer.kernel().width() + kc) * perGroup + g) * 4 + f;
              sum += (double) x[(r * w + c) * in + channel] * kernel[tap];
            }
          }
        }
        assertThat((double) y[i]).as("output %d", i).isCloseTo(sum, within(1e-5));
      }
    }
  }

  @Test
  void aDepthwiseConvolutionSeesOneChannel() {
    try (Model model = one(DepthwiseConv2d.of(1).withMultiplier(2).withoutBias(), 1, 1, 3)) {
      model.set("layer/kernel", new float[] {1, 2, 3, 4, 5, 6});
      assertThat(model.predict(1, 10, 100)).containsExactly(1, 2, 30, 40, 500, 600);
    }
  }

  @Test
  void aTransposedConvolutionSpreadsEachPixel() {
    ConvTranspose2d layer = ConvTranspose2d.of(1, 2, 2).withoutBias();
    try (Model model = one(layer, 1, 2, 1)) {
      model.set("layer/kernel", new float[] {1, 2, 3, 4});
      assertThat(model.predict(1, 10)).containsExactly(1, 2, 10, 20, 3, 4, 30, 40);
    }
    // Kernel 3, stride 2: one row more than h · stride, cut at the end as in TensorFlow.
    ConvTranspose2d same = ConvTranspose2d.of(1, 3, 2).withoutBias().withPadding(Padding.SAME);
    try (Model model = one(same, 1, 1, 1)) {
      model.set("layer/kernel", new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
      assertThat(model.predict(1)).containsExactly(1, 2, 4, 5);
    }
  }

  @Test
  void aConvolutionOfSequencesMayLookOnlyBack() {
    Conv1d causal = Conv1d.of(1, 2).withPadding(Padding.of(2, 0)).withDilation(2).withoutBias();
    try (Model model = one(causal, 4, 1)) {
      model.set("layer/kernel", new float[] {10, 1});
      assertThat(model.predict(1, 2, 3, 4)).containsExactly(1, 2, 13, 24);
    }
  }

  @Test
  void poolingsTakeTheirWindows() {
    float[] x = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    assertThat(apply(MaxPool2d.of(2), x, 3, 3, 1)).containsExactly(5);
    assertThat(apply(MaxPool2d.of(2, 1), x, 3, 3, 1)).containsExactly(5, 6, 8, 9);
    assertThat(apply(MaxPool2d.of(2).withPadding(Padding.SAME), x, 3, 3, 1))
        .containsExactly(5, 6, 8, 9);
    assertThat(apply(AveragePool2d.of(2).withPadding(Padding.SAME), x, 3, 3, 1))
        .containsExactly(3, 4.5f, 7.5f, 9);
    assertThat(apply(MaxPool1d.of(3), x, 9, 1)).containsExactly(3, 6, 9);
    assertThat(apply(AveragePool1d.of(3), x, 9, 1)).containsExactly(2, 5, 8);
    assertThat(apply(new GlobalAveragePool(), x, 3, 3, 1)).containsExactly(5);
    assertThat(apply(new GlobalMaxPool(), x, 3, 3, 1)).containsExactly(9);
  }

  @Test
  void shapesChangeAndAxesMove() {
    float[] x = {1, 2, 3, 4, 5, 6};
    assertThat(apply(Permute.of(2, 1), x, 2, 3)).containsExactly(1, 4, 2, 5, 3, 6);
    assertThat(apply(ReshapeTo.of(3, -1), x, 2, 3)).isEqualTo(x);
    assertThat(apply(new Flatten(), x, 2, 3)).isEqualTo(x);
    assertThat(apply(new Dropout(0.9), x, 2, 3)).isEqualTo(x);
  }

  @Test
  void mergesCombineTheirInputs() {
    Symbol x = Symbol.input("x", 2, 2);
    Symbol square = new Multiply().apply(x, x);
    Symbol y =
        new Concat(1)
            .apply(
                new Add().apply(x, square, x),
                new Subtract().apply(square, x),
                new Average().apply(x, square));
    try (Model model = Model.of(List.of(x), List.of(y), 1)) {
      assertThat(model.predict(1, 2, 3, 4)).containsExactly(3, 8, 15, 24, 0, 2, 6, 12, 1, 3, 6, 10);
    }
  }

  @Test
  void batchNormPredictsByItsRunningStatistics() {
    try (Model model = one(new BatchNorm().withEpsilon(0), 2)) {
      assertThat(model.table().trainedElements()).isEqualTo(4);
      model.set("layer/gamma", new float[] {2, 3});
      model.set("layer/beta", new float[] {1, -1});
      model.set("layer/running_mean", new float[] {5, 10});
      model.set("layer/running_variance", new float[] {4, 0.25f});
      // (9 - 5) / 2 · 2 + 1 and (11 - 10) / 0.5 · 3 - 1
      assertThat(model.predict(9, 11)).containsExactly(new float[] {5, 5}, within(1e-5f));
    }
  }

  @Test
  void normalisationsWorkOnTheirGroups() {
    float[] x = {1, 3, 10, 30};
    assertThat(apply(new LayerNorm().withEpsilon(0), x, 2, 2))
        .containsExactly(new float[] {-1, 1, -1, 1}, within(1e-5f));
    float[] square = {1, 7, 2, 14};
    assertThat(apply(new RmsNorm().withEpsilon(0), square, 2, 2))
        .containsExactly(new float[] {0.2f, 1.4f, 0.2f, 1.4f}, within(1e-5f));
    // Two groups of one channel: 1 and 10, 3 and 30.
    assertThat(apply(GroupNorm.of(2).withEpsilon(0), x, 2, 1, 2))
        .containsExactly(new float[] {-1, -1, 1, 1}, within(1e-5f));
  }

  /** One unit and one feature, step by step in float64. */
  @Test
  void recurrentLayersGiveTheLastStateOrAll() {
    float[] x = {0.5f, -1, 2};
    double h = 0;
    double c = 0;
    double[] states = new double[3];
    try (Model all = one(Lstm.sequences(1), 3, 1);
        Model last = one(Lstm.of(1), 3, 1)) {
      float[] k = {0.1f, 0.2f, 0.3f, 0.4f};
      float[] r = {0.5f, -0.6f, 0.7f, 0.8f};
      assertThat(all.get("layer/bias")).containsExactly(0, 1, 0, 0);
      for (Model model : List.of(all, last)) {
        model.set("layer/kernel", k);
        model.set("layer/recurrent_kernel", r);
      }
      for (int t = 0; t < 3; t++) {
        double i = sigmoid(k[0] * x[t] + r[0] * h);
        double f = sigmoid(k[1] * x[t] + r[1] * h + 1);
        double g = Math.tanh(k[2] * x[t] + r[2] * h);
        double o = sigmoid(k[3] * x[t] + r[3] * h);
        c = f * c + i * g;
        h = o * Math.tanh(c);
        states[t] = h;
      }
      float[] y = all.predict(x);
      for (int t = 0; t < 3; t++) {
        assertThat((double) y[t]).isCloseTo(states[t], within(1e-6));
      }
      assertThat(last.predict(x)).containsExactly(y[2]);
    }
  }

  @Test
  void gatedRecurrentUnitsResetAfterTheProduct() {
    float[] x = {0.5f, -1, 2};
    float[] k = {0.1f, 0.2f, 0.3f};
    float[] u = {0.5f, -0.6f, 0.7f};
    float[] b = {0.3f, 0.1f, -0.2f};
    float[] cb = {0.2f, -0.1f, 0.4f};
    try (Model model = one(Gru.of(1), 3, 1)) {
      model.set("layer/kernel", k);
      model.set("layer/recurrent_kernel", u);
      model.set("layer/bias", b);
      model.set("layer/recurrent_bias", cb);
      double h = 0;
      for (float v : x) {
        double r = sigmoid(k[0] * v + b[0] + u[0] * h + cb[0]);
        double z = sigmoid(k[1] * v + b[1] + u[1] * h + cb[1]);
        double n = Math.tanh(k[2] * v + b[2] + r * (u[2] * h + cb[2]));
        h = (1 - z) * n + z * h;
      }
      assertThat((double) model.predict(x)[0]).isCloseTo(h, within(1e-6));
    }
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  @Test
  void anActivationFollowsTheSum() {
    try (Model model = one(Dense.of(2, Activation.RELU), 1)) {
      model.set("layer/kernel", new float[] {1, -1});
      model.set("layer/bias", new float[] {-1, -1});
      assertThat(model.predict(3)).containsExactly(2, 0);
    }
    float[] y = apply(new Activate(Activation.SOFTMAX), new float[] {0, (float) Math.log(3)}, 2);
    assertThat(y).containsExactly(new float[] {0.25f, 0.75f}, within(1e-6f));
  }
}
