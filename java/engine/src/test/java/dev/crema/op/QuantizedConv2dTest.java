package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
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
    "1, 9, 6, 2, 3, 33, 1, 1, 2, false, false"
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
    int[] w = random.ints((long) rows * units, -127, 128).toArray();
    float[] scales = new float[units];
    float[] bias = new float[units];
    for (int j = 0; j < units; j++) {
      scales[j] = 0.002f + random.nextFloat() * 0.01f;
      bias[j] = (float) random.nextGaussian();
    }
    float[] kernel = new float[rows * units];
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] = w[i] * scales[i % units];
    }
    Graph graph = new Graph();
    long run = QuantizedConv2d.run(window, width, channels);
    TensorType type = PackQuantized.typeOf(rows, run, units);
    Node packed = graph.variable("packed", Storage.STATE, 0, type);
    Node k = graph.add(new Constant(kernel, TensorType.of(height, width, channels, units)));
    Node s = graph.add(new Constant(scales, TensorType.of(units)));
    Node b = graph.add(new Constant(bias, TensorType.of(units)));
    QuantizationParameters qy = toBytes ? Y : null;
    graph.apply(new PackQuantized(X, qy, run), packed, k, s, b);
    FusedActivation activation = relu ? FusedActivation.RELU : FusedActivation.NONE;
    Node image = graph.input("x", bytes(side, side, channels));
    Node y =
        image.then(new QuantizedConv2d(height, width, units, window, activation, X, qy), packed);
    int out = Math.toIntExact(y.type().extent(1));
    int across = Math.toIntExact(y.type().extent(2));
    for (CpuDevice device : CpuDevice.levels()) {
      try (Buffer memory = Buffer.allocate(4 * type.elements().constant());
          Plan plan =
              Plan.of(graph)
                  .outputs(y)
                  .capacity(images)
                  .storage(Storage.STATE, memory)
                  .device(device)
                  .build()) {
        plan.input("x").borrow(0, x.length).put(x);
        plan.run(images);
        ByteBuffer actual = plan.output(y);
        for (int i = 0; i < images * out * across * units; i++) {
          int j = i % units;
          int top = i / units / across % out * stride - padding;
          int left = i / units % across * stride - padding;
          int image0 = i / units / across / out * side;
          float product = X.scale() * scales[j];
          int sum = (int) Math.rint((double) bias[j] / product);
          for (int t = 0; t < rows; t++) {
            int row = top + t / channels / width * dilation;
            int column = left + t / channels % width * dilation;
            if (row >= 0 && row < side && column >= 0 && column < side) {
              int at = ((image0 + row) * side + column) * channels + t % channels;
              sum += ((x[at] & 255) - X.zeroPoint()) * w[t * units + j];
            }
          }
          float v = (float) sum * (toBytes ? product / Y.scale() : product);
          v = relu && v < 0 ? 0 : v;
          if (toBytes) {
            double whole = Math.max(0, Math.min(255, Math.rint(v) + Y.zeroPoint()));
            assertThat(actual.get(i) & 255).as("%s: %s", device, i).isEqualTo((int) whole);
          } else {
            assertThat(actual.getFloat(4 * i)).as("%s: %s", device, i).isEqualTo(v);
          }
        }
      }
    }
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
