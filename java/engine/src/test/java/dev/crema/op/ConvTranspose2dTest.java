package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConvTranspose2dTest {
  @ParameterizedTest
  @CsvSource({
    // n, h, w, in, kernel, out, stride, dilation, padding, output padding, groups
    "2, 3, 4, 3, 3, 5, 1, 1, 0, 0, 1",
    "1, 3, 3, 2, 4, 3, 2, 1, 1, 0, 1", // doubles the image
    "2, 2, 3, 2, 3, 3, 3, 1, 1, 2, 1", // output padding
    "1, 2, 2, 2, 2, 2, 3, 1, 0, 1, 1", // gaps that only the bias fills
    "1, 4, 3, 4, 3, 6, 2, 2, 2, 1, 2", // dilation and groups
    "1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1",
    "1, 3, 3, 5, 3, 5, 2, 1, 1, 1, 5" // depthwise
  })
  void matchesTheReferenceAndFiniteDifferences(
      int n,
      int h,
      int w,
      int in,
      int k,
      int out,
      int stride,
      int dilation,
      int padding,
      int outputPadding,
      int groups) {
    Window2d window =
        Window2d.valid(stride, stride)
            .dilated(dilation, dilation)
            .padded(padding, padding, padding, padding);
    int grown = (k - 1) * dilation + 1 + outputPadding - 2 * padding;
    OpCheck.of(
            new ConvTranspose2d(window, outputPadding, outputPadding, groups, FusedActivation.NONE))
        .batched(Array64.gaussian(1, n, h, w, in))
        .input(Array64.gaussian(2, k, k, out / groups, in))
        .input(Array64.gaussian(3, out))
        .forwardOne(
            a ->
                Convolution64.transposed(
                    a, window, groups, (h - 1) * stride + grown, (w - 1) * stride + grown))
        .run();
  }

  @Test
  void refusesWhatCannotBe() {
    Window2d window = Window2d.valid(2, 2);
    assertThatThrownBy(() -> new ConvTranspose2d(window, 2, 0, 1, FusedActivation.NONE))
        .hasMessageContaining("below the stride 2");
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(4, 4, 3));
    Node kernel = graph.input("k", TensorType.of(2, 2, 8, 4));
    assertThatThrownBy(() -> x.then(new ConvTranspose2d(window), kernel))
        .hasMessageContaining("expects 4 channels");
    Node fits = graph.input("f", TensorType.of(2, 2, 8, 3));
    assertThatThrownBy(() -> x.then(new ConvTranspose2d(window.padded(4, 4, 4, 4)), fits))
        .hasMessageContaining("padding leaves nothing");
  }
}
