package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Winograd's algorithm (Lavin and Gray 2016) computes 2 x 2 outputs from sums over 4 x 4 pixels, or
 * 6 x 6 under windows of 5 x 5, so that a NaN or an infinity in one pixel reaches all outputs of
 * its tiles, also those whose window doesn't touch it. No further: the other tiles stay the same to
 * the bit.
 */
class WinogradTest {
  private static final int CHANNELS = 64; // so many that the algorithm pays
  private static final int SIZE = 10;

  /** That keeps the size. */
  private static Window2d window(int side) {
    int pad = side / 2;
    return Window2d.valid(1, 1).padded(pad, pad, pad, pad);
  }

  private static float[] convolve(
      CpuDevice device, int threads, int side, Array64 image, Array64 kernel) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(SIZE, SIZE, CHANNELS));
    Node k = graph.input("k", TensorType.of(side, side, CHANNELS, CHANNELS));
    Node y = x.then(new Conv2d(window(side)), k);
    try (Plan plan = Plan.of(graph).outputs(y).threads(threads).device(device).build()) {
      OpCheck.fill(plan.input("x"), image, ElementType.FLOAT32);
      OpCheck.fill(plan.input("k"), kernel, ElementType.FLOAT32);
      plan.run(1);
      float[] result = new float[SIZE * SIZE * CHANNELS];
      plan.output(y).asFloatBuffer().get(result);
      return result;
    }
  }

  /** Whether the pixels behind a row or column of outputs hold that of the source. */
  private static boolean sameTile(int side, int output, int source) {
    int first = output / 2 * 2 - side / 2;
    return source >= first && source < first + side + 1;
  }

  @ParameterizedTest
  @CsvSource({
    "3, 4, 5, NaN",
    "3, 0, 0, NaN",
    "3, 9, 3, Infinity",
    "3, 5, 9, -Infinity",
    "5, 4, 5, NaN",
    "5, 0, 9, Infinity",
    "5, 7, 2, -Infinity"
  })
  void whatIsNotFiniteStaysInItsTiles(int side, int row, int column, double value) {
    Array64 image = Array64.gaussian(1, 1, SIZE, SIZE, CHANNELS);
    Array64 kernel = Array64.gaussian(2, side, side, CHANNELS, CHANNELS);
    Array64 spoilt = image.copy();
    spoilt.values()[(row * SIZE + column) * CHANNELS + 7] = value;
    Array64 reference =
        Convolution64.forward(
            new Array64[] {spoilt, kernel, Array64.zeros(CHANNELS)}, window(side), 1);
    for (CpuDevice device : CpuDevice.levels()) {
      for (int threads = 1; threads <= 2; threads++) {
        float[] clean = convolve(device, threads, side, image, kernel);
        float[] actual = convolve(device, threads, side, spoilt, kernel);
        for (int i = 0; i < actual.length; i++) {
          int y = i / CHANNELS / SIZE;
          int x = i / CHANNELS % SIZE;
          String where = device + ", output " + y + ", " + x;
          if (!Double.isFinite(reference.values()[i])) {
            assertThat(Float.isFinite(actual[i])).as(where).isFalse();
          }
          if (!sameTile(side, y, row) || !sameTile(side, x, column)) {
            assertThat(actual[i]).as(where).isEqualTo(clean[i]);
          }
        }
      }
    }
  }
}
