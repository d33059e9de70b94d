package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** QLinearConv of ONNX with a scale for each filter, written out here, at every instruction set. */
class QuantizedConv2dTest {
  private static final QuantizationParameters X = new QuantizationParameters(0.02f, 77);
  private static final QuantizationParameters Y = new QuantizationParameters(0.6f, 30);

  private static TensorType bytes(long... extents) {
    return TensorType.batchOf(ElementType.UINT8, extents);
  }

  /** A window of {@code height} by {@code width} over images of {@code side} squared pixels. */
  @ParameterizedTest
  @CsvSource({
    "2, 28, 1, 5, 5, 32, 1, 0, 1, true, true",
    "1, 7, 16, 3, 3, 17, 2, 1, 1, true, false",
    "3, 5, 3, 1, 1, 8, 1, 0, 1, false, true",
    "2, 1, 40, 3, 3, 5, 1, 1, 1, true, true",
    "1, 9, 6, 2, 3, 33, 1, 1, 2, false, false",
    "1, 23, 3, 7, 7, 64, 2, 3, 1, true, true", // a stem
    "32, 12, 6, 5, 5, 16, 1, 0, 1, true, true", // of LeNet
    "32, 28, 1, 5, 5, 6, 1, 0, 1, true, false", // small tiles fill a card
    "1, 7, 64, 3, 3, 72, 1, 1, 1, true, true", // strips of 8 columns
    "9, 9, 16, 3, 3, 70, 1, 2, 2, false, true", // dilated, in whole pieces
    "18, 15, 32, 1, 1, 40, 1, 0, 1, true, true", // small tiles, in whole pieces
    "33, 16, 16, 1, 3, 24, 1, 1, 1, true, true" // great tiles
  })
  void aConvolutionOfBytes(
      int images,
      int side,
      int channels,
      int height,
      int width,
      int units,
      int stride,
      int padding,
      int dilation,
      boolean relu,
      boolean toBytes) {
    Random random = new Random(side + units);
    Window2d window =
        Window2d.valid(stride, stride)
            .dilated(dilation, dilation)
            .padded(padding, padding, padding, padding);
    byte[] x = new byte[images * side * side * channels];
    random.nextBytes(x);
    int rows = height * width * channels;
    QuantizedWeights weights = QuantizedWeights.random(random, rows, units);
    Graph graph = new Graph();
    long run = QuantizedConv2d.run(window, width, channels);
    QuantizationParameters qy = toBytes ? Y : null;
    Node packed = weights.packed(graph, X, qy, true, run, height, width, channels, units);
    FusedActivation activation = relu ? FusedActivation.RELU : FusedActivation.NONE;
    Node image = graph.input("x", bytes(side, side, channels));
    Node y =
        image.then(new QuantizedConv2d(height, width, units, window, activation, X, qy), packed);
    int out = Math.toIntExact(y.type().extent(1));
    int across = Math.toIntExact(y.type().extent(2));
    float[] expected = new float[images * out * across * units];
    for (int i = 0; i < expected.length; i++) {
      int top = i / units / across % out * stride - padding;
      int left = i / units % across * stride - padding;
      int image0 = i / units / across / out * side;
      int sum = 0;
      for (int t = 0; t < rows; t++) {
        int row = top + t / channels / width * dilation;
        int column = left + t / channels % width * dilation;
        if (row >= 0 && row < side && column >= 0 && column < side) {
          int at = ((image0 + row) * side + column) * channels + t % channels;
          sum += ((x[at] & 255) - X.zeroPoint()) * weights.at(t, i % units);
        }
      }
      expected[i] = weights.number(sum, i % units, X, qy, activation);
    }
    QuantizedWeights.check(
        graph, packed, y, images, plan -> plan.input("x").borrow(0, x.length).put(x), expected);
  }

  @Test
  void whatHasNoMeaningIsRefused() {
    Graph graph = new Graph();
    Node packed = graph.input("w", PackQuantized.typeOf(27, 9, 4));
    Window2d window = Window2d.valid(1, 1);
    QuantizedConv2d op = new QuantizedConv2d(3, 3, 4, window, FusedActivation.NONE, X, Y);
    assertThat(graph.input("a", bytes(5, 5, 3)).then(op, packed).type()).isEqualTo(bytes(3, 3, 4));
    assertThatThrownBy(() -> graph.input("b", TensorType.batchOf(5, 5, 3)).then(op, packed))
        .hasMessageContaining("UINT8");
    assertThatThrownBy(() -> graph.input("c", bytes(5, 5, 5)).then(op, packed))
        .hasMessageContaining("packed must be");
    assertThatThrownBy(() -> graph.input("d", bytes(2, 5, 3)).then(op, packed))
        .hasMessageContaining("does not fit");
    assertThatThrownBy(() -> graph.input("e", bytes(5, 5, 0)).then(op, packed))
        .hasMessageContaining("empty");
    assertThatThrownBy(() -> new QuantizedConv2d(3, 3, 4, window, FusedActivation.TANH, X, Y))
        .hasMessageContaining("TANH");
    Node kernel = graph.input("k", TensorType.of(3, 3, 3, 4));
    Node scales = graph.input("s", TensorType.of(4));
    assertThatThrownBy(() -> graph.apply(new PackQuantized(X, Y, 4), packed, kernel, scales))
        .hasMessageContaining("runs of 4");
  }
}
