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
 * Winograd's algorithm (Lavin and Gray 2016) computes 2 x 2 outputs from sums over 4 x 4 pixels, so
 * that a NaN or an infinity in one pixel reaches all outputs of its tiles, also those whose window
 * doesn't touch it. No further: the other tiles stay the same to the bit.
 */
class WinogradTest {
  private static final int CHANNELS = 64; // so many that the algorithm pays
  private static final int SIZE = 10;
  private static final Window2d WINDOW = Window2d.valid(1, 1).padded(1, 1, 1, 1);

  private static float[] convolve(CpuDevice device, int threads, Array64 image, Array64 kernel) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(SIZE, SIZE, CHANNELS));
    Node k = graph.input("k", TensorType.of(3, 3, CHANNELS, CHANNELS));
    Node y = x.then(new Conv2d(WINDOW), k);
    try (Plan plan = Plan.of(graph).outputs(y).threads(threads).device(device).build()) {
      OpCheck.fill(plan.input("x"), image, ElementType.FLOAT32);
      OpCheck.fill(plan.input("k"), kernel, ElementType.FLOAT32);
      plan.run(1);
      float[] result = new float[SIZE * SIZE * CHANNELS];
      plan.output(y).asFloatBuffer().get(result);
      return result;
    }
  }

  /** Whether the 4 x 4 pixels behind a row or column of outputs hold that of the source. */
  private static boolean sameTile(int output, int source) {
    int first = output / 2 * 2 - 1;
    return source >= first && source < first + 4;
  }

  @ParameterizedTest
  @CsvSource({"4, 5, NaN", "0, 0, NaN", "9, 3, Infinity", "5, 9, -Infinity"})
  void whatIsNotFiniteStaysInItsTiles(int row, int column, double value) {
    Array64 image = Array64.gaussian(1, 1, SIZE, SIZE, CHANNELS);
    Array64 kernel = Array64.gaussian(2, 3, 3, CHANNELS, CHANNELS);
    Array64 spoilt = image.copy();
    spoilt.values()[(row * SIZE + column) * CHANNELS + 7] = value;
    Array64 reference =
        Convolution64.forward(new Array64[] {spoilt, kernel, Array64.zeros(CHANNELS)}, WINDOW, 1);
    for (CpuDevice device : CpuDevice.levels()) {
      for (int threads = 1; threads <= 2; threads++) {
        float[] clean = convolve(device, threads, image, kernel);
        float[] actual = convolve(device, threads, spoilt, kernel);
        for (int i = 0; i < actual.length; i++) {
          int y = i / CHANNELS / SIZE;
          int x = i / CHANNELS % SIZE;
          String where = device + ", output " + y + ", " + x;
          if (!Double.isFinite(reference.values()[i])) {
            assertThat(Float.isFinite(actual[i])).as(where).isFalse();
          }
          if (!sameTile(y, row) || !sameTile(x, column)) {
            assertThat(actual[i]).as(where).isEqualTo(clean[i]);
          }
        }
      }
    }
  }
}
