package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Conv2dTest {
  @ParameterizedTest(name = "{0}x{1}x{2}x{3}, {4}x{5} to {6}")
  @CsvSource({
    // n, h, w, in, kh, kw, out, stride h w, dilation h w, top bottom left right, groups
    "2, 5, 6, 1, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 1, 1",
    "1, 1, 1, 3, 1, 1, 4, 1, 1, 1, 1, 0, 0, 0, 0, 1", // a single pixel
    "2, 4, 5, 2, 1, 1, 17, 1, 1, 1, 1, 0, 0, 0, 0, 1", // a plain product
    "1, 6, 7, 2, 2, 2, 3, 3, 3, 1, 1, 0, 0, 0, 0, 1", // stride past the kernel
    "2, 7, 6, 2, 3, 2, 3, 2, 1, 2, 3, 2, 1, 0, 3, 1", // dilation, uneven padding
    "1, 5, 5, 6, 3, 3, 4, 2, 2, 1, 1, 1, 1, 1, 1, 2", // groups
    "2, 5, 4, 5, 3, 3, 5, 1, 1, 1, 1, 1, 1, 1, 1, 5", // depthwise
    "1, 5, 4, 3, 2, 3, 6, 2, 1, 1, 1, 0, 1, 1, 1, 3", // two filters a channel
    "1, 3, 3, 70, 2, 2, 33, 1, 1, 1, 1, 0, 0, 0, 0, 1" // more channels than a vector
  })
  void matchesTheReferenceAndFiniteDifferences(
      int n,
      int h,
      int w,
      int in,
      int kh,
      int kw,
      int out,
      int strideH,
      int strideW,
      int dilationH,
      int dilationW,
      int top,
      int bottom,
      int left,
      int right,
      int groups) {
    Window2d window =
        new Window2d(strideH, strideW, dilationH, dilationW, top, bottom, left, right);
    OpCheck check =
        OpCheck.of(new Conv2d(window, groups))
            .batched(Array64.gaussian(1, n, h, w, in))
            .input(Array64.gaussian(2, kh, kw, in / groups, out))
            .input(Array64.gaussian(3, out))
            .forwardOne(a -> Convolution64.forward(a, window, groups));
    (in > 50 ? check.withoutGradient() : check).run();
  }

  @Test
  void needsNoBias() {
    Window2d window = Window2d.valid(1, 1);
    OpCheck.of(new Conv2d(window))
        .batched(Array64.gaussian(1, 2, 5, 4, 2))
        .input(Array64.gaussian(2, 2, 2, 2, 3))
        .forwardOne(a -> Convolution64.forward(a, window, 1))
        .run();
  }

  @Test
  void aFusedReluHasItsGradient() {
    Window2d window = Window2d.valid(1, 1).padded(1, 1, 1, 1);
    OpCheck.of(new Conv2d(window, 1, FusedActivation.RELU))
        .batched(Array64.gaussian(1, 2, 4, 4, 3))
        .input(Array64.gaussian(2, 3, 3, 3, 5))
        .input(Array64.gaussian(3, 5))
        .forwardOne(a -> Convolution64.forward(a, window, 1).map(v -> Math.max(v, 0)))
        .run();
  }

  @ParameterizedTest
  @CsvSource({"7, 3, 1, 1", "7, 3, 2, 1", "8, 5, 3, 2", "1, 3, 1, 1", "9, 2, 4, 1"})
  void samePaddingGivesOneWindowAStride(int size, int taps, int stride, int dilation) {
    TensorType x = TensorType.batchOf(size, size, 2);
    Window2d window =
        Window2d.valid(stride, stride).dilated(dilation, dilation).same(x, taps, taps);
    Graph graph = new Graph();
    Node y =
        graph
            .input("x", x)
            .then(new Conv2d(window), graph.input("k", TensorType.of(taps, taps, 2, 4)));
    int windows = (size + stride - 1) / stride;
    assertThat(y.type()).isEqualTo(TensorType.batchOf(windows, windows, 4));
    assertThat(window.bottom() - window.top()).isBetween(0, 1);
  }

  @Test
  void saysWhichLayerGotTheWrongChannels() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(8, 8, 4));
    Node kernel = graph.input("k", TensorType.of(3, 3, 3, 6));
    graph.beginLayer("features/conv_1");
    assertThatThrownBy(() -> x.then(new Conv2d(Window2d.valid(1, 1)), kernel))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("features/conv_1 (Conv2d): expects 3 channels")
        .hasMessageContaining("gets [n, 8, 8, 4]");
  }

  @Test
  void saysThatAWindowDoesNotFit() {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(4, 9, 1));
    Node kernel = graph.input("k", TensorType.of(3, 3, 1, 2));
    Window2d window = Window2d.valid(1, 1).dilated(2, 1);
    assertThatThrownBy(() -> x.then(new Conv2d(window), kernel))
        .hasMessageContaining("window of height 5 (3 taps, dilation 2) does not fit height 4");
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> Window2d.valid(0, 1)).hasMessageContaining("strides must be");
    assertThatThrownBy(() -> Window2d.valid(1, 1).dilated(1, 0)).hasMessageContaining("dilations");
    assertThatThrownBy(() -> Window2d.valid(1, 1).padded(0, 0, -1, 0))
        .hasMessageContaining("left -1");
    assertThatThrownBy(() -> new Conv2d(Window2d.valid(1, 1), 0)).hasMessageContaining("groups");
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(4, 4, 4));
    Node kernel = graph.input("k", TensorType.of(1, 1, 2, 5));
    assertThatThrownBy(() -> x.then(new Conv2d(Window2d.valid(1, 1), 2), kernel))
        .hasMessageContaining("5 output channels do not divide into 2 groups");
    Node square = graph.input("s", TensorType.of(1, 1, 4, 5));
    Node bias = graph.input("b", TensorType.of(4));
    assertThatThrownBy(() -> x.then(new Conv2d(Window2d.valid(1, 1)), square, bias))
        .hasMessageContaining("bias must be [5] but is [4]");
  }

  @ParameterizedTest
  @CsvSource({
    "2, 9, 3, 3, 5, 1, 1, 1, 1, 1",
    "1, 12, 4, 5, 6, 3, 2, 4, 0, 2",
    "2, 1, 2, 1, 3, 1, 1, 0, 0, 1"
  })
  void sequencesMatchTheReferenceAndFiniteDifferences(
      int n,
      int l,
      int in,
      int k,
      int out,
      int stride,
      int dilation,
      int left,
      int right,
      int groups) {
    Window2d window = new Window2d(1, stride, 1, dilation, 0, 0, left, right);
    OpCheck.of(new Conv1d(stride, dilation, left, right, groups))
        .batched(Array64.gaussian(1, n, l, in))
        .input(Array64.gaussian(2, k, in / groups, out))
        .input(Array64.gaussian(3, out))
        .forwardOne(
            a -> {
              Array64 y =
                  Convolution64.forward(
                      new Array64[] {Convolution64.image(a[0]), Convolution64.row(a[1]), a[2]},
                      window,
                      groups);
              return y.reshape(y.dim(0), y.dim(2), y.dim(3));
            })
        .run();
  }
}
