package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Pool2dTest {
  private static double max(double[] pixels, int inside, int size) {
    return Arrays.stream(pixels, 0, inside).max().orElseThrow();
  }

  private static double mean(double[] pixels, int inside, int size) {
    return Arrays.stream(pixels, 0, inside).sum() / inside;
  }

  private static double meanWithPadding(double[] pixels, int inside, int size) {
    return Arrays.stream(pixels, 0, inside).sum() / size;
  }

  @ParameterizedTest
  @CsvSource({
    // n, h, w, c, window, stride, padding
    "2, 6, 6, 1, 2, 2, 0", "2, 7, 5, 6, 2, 2, 0", "1, 7, 7, 3, 3, 2, 1", "1, 5, 6, 2, 3, 1, 1",
    "1, 8, 7, 3, 2, 3, 0", "2, 1, 1, 5, 1, 1, 0", "1, 6, 5, 19, 2, 2, 1", "1, 4, 4, 33, 3, 1, 0"
  })
  void poolingMatchesTheReferenceAndFiniteDifferences(
      int n, int h, int w, int c, int size, int stride, int padding) {
    Window2d window = Window2d.valid(stride, stride).padded(padding, padding, padding, padding);
    Array64 x = Array64.gaussian(5, n, h, w, c);
    OpCheck.of(new MaxPool2d(size, size, window))
        .batched(x)
        .forwardOne(a -> Convolution64.pool(a[0], size, size, window, Pool2dTest::max))
        .run();
    OpCheck.of(new AveragePool2d(size, size, window, false))
        .batched(x)
        .forwardOne(a -> Convolution64.pool(a[0], size, size, window, Pool2dTest::mean))
        .run();
    OpCheck.of(new AveragePool2d(size, size, window, true))
        .batched(x)
        .forwardOne(a -> Convolution64.pool(a[0], size, size, window, Pool2dTest::meanWithPadding))
        .run();
  }

  @ParameterizedTest
  @CsvSource({"2, 5, 4, 3", "1, 1, 1, 1", "3, 3, 7, 18"})
  void globalPoolingMatchesTheReferenceAndFiniteDifferences(int n, int h, int w, int c) {
    Window2d window = Window2d.valid(1, 1);
    OpCheck.of(new GlobalMaxPool())
        .batched(Array64.gaussian(6, n, h, w, c))
        .forwardOne(a -> Convolution64.pool(a[0], h, w, window, Pool2dTest::max).reshape(n, c))
        .run();
    OpCheck.of(new GlobalAveragePool())
        .batched(Array64.gaussian(7, n, h, w, c))
        .forwardOne(a -> Convolution64.pool(a[0], h, w, window, Pool2dTest::mean).reshape(n, c))
        .run();
  }

  @Test
  void sequencesAreImagesOfOneRow() {
    Window2d window = Window2d.valid(1, 2);
    OpCheck.of(new MaxPool2d(1, 3, window))
        .batched(Array64.gaussian(8, 2, 9, 4))
        .forwardOne(
            a -> {
              Array64 y =
                  Convolution64.pool(Convolution64.image(a[0]), 1, 3, window, Pool2dTest::max);
              return y.reshape(y.dim(0), y.dim(2), y.dim(3));
            })
        .run();
  }

  @Test
  void aNotANumberIsTheMaximumOfItsWindow() {
    Array64 x = Array64.gaussian(9, 1, 4, 4, 2);
    x.values()[2] = Double.NaN;
    OpCheck.of(new MaxPool2d(2, 2, Window2d.valid(2, 2)))
        .batched(x)
        .forwardOne(a -> Convolution64.pool(a[0], 2, 2, Window2d.valid(2, 2), Pool2dTest::max))
        .withoutGradient()
        .run();
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> new MaxPool2d(2, 2, Window2d.valid(1, 1).padded(2, 0, 0, 0)))
        .hasMessageContaining("padding must be smaller than the window, 2 by 2")
        .hasMessageContaining("top 2");
    assertThatThrownBy(() -> new MaxPool2d(0, 2, Window2d.valid(1, 1)))
        .hasMessageContaining("0 by 2");
    assertThatThrownBy(() -> new AveragePool2d(2, 2, Window2d.valid(1, 1).dilated(2, 1), true))
        .hasMessageContaining("no dilation");
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(8, 8));
    graph.beginLayer("pool_2");
    assertThatThrownBy(() -> x.then(new MaxPool2d(2, 2, Window2d.valid(2, 2))))
        .hasMessageContaining("pool_2 (MaxPool2d)")
        .hasMessageContaining("window of height 2 does not fit height 1");
    Node flat = graph.input("f", TensorType.batchOf(8));
    assertThatThrownBy(() -> flat.then(new GlobalMaxPool())).hasMessageContaining("but is [n, 8]");
    assertThat(x.then(new GlobalAveragePool()).type()).isEqualTo(TensorType.batchOf(8));
  }
}
