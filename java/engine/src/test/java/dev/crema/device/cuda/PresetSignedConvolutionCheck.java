package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cuda.kernel.Convolution;
import dev.crema.device.cuda.kernel.OperationGraph;
import dev.crema.device.cuda.kernel.OperationGraph.Mode;
import dev.crema.device.cuda.kernel.OperationGraph.Place;
import dev.crema.device.cuda.kernel.OperationGraph.Pointwise;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;
import dev.crema.device.cuda.kernel.OperationGraph.Windows;
import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A convolution of signed bytes through the preset, by descriptors into floats and by a graph into
 * whole numbers, on stand-ins whose memory is the host's: x [1, 3, 4, 4], filters [8, 2, 2, 4].
 */
final class PresetSignedConvolutionCheck {
  private static final int CHANNELS = 4;
  private static final int HEIGHT = 3;
  private static final int WIDTH = 4;
  private static final int OUTPUTS = 8;
  private static final int ROWS = 2;
  private static final int COLUMNS = 3;
  private static final int SCRATCH = 1 << 12;

  private PresetSignedConvolutionCheck() {}

  static void run(CudaDevice device) {
    device.context().enter();
    long stream = Streams.create(device.context());
    DeviceMemory.Piece memory = device.memory().allocate(2 * SCRATCH, "a convolution");
    try {
      long x = memory.address();
      long filter = x + 256;
      long y = x + 512;
      ByteBuffer bytes = FakeKernels.view(x, SCRATCH);
      for (int i = 0; i < 512; i++) {
        bytes.put(i, (byte) (i * 37 - 128));
      }
      Recorder to = new Recorder(device, false, stream, x + SCRATCH, SCRATCH);
      assertThat(to.convolutionIfThere(convolution(x, filter, y))).isTrue();
      for (int i = 0; i < ROWS * COLUMNS * OUTPUTS; i++) {
        assertThat(bytes.getFloat(512 + 4 * i)).isEqualTo(sum(bytes, i));
      }
      to.begin(null, null);
      assertThat(to.graphIfThere(graph(), x, filter, y)).isTrue();
      for (int i = 0; i < ROWS * COLUMNS * OUTPUTS; i++) {
        assertThat(bytes.getInt(512 + 4 * i)).isEqualTo(sum(bytes, i));
      }
    } finally {
      memory.close();
      Streams.destroy(device.context(), stream);
    }
  }

  private static int sum(ByteBuffer bytes, int i) {
    int row = i / OUTPUTS / COLUMNS;
    int column = i / OUTPUTS % COLUMNS;
    int sum = 0;
    for (int tap = 0; tap < 4 * CHANNELS; tap++) {
      int down = row + tap / CHANNELS / 2;
      int across = column + tap / CHANNELS % 2;
      int x = bytes.get((down * WIDTH + across) * CHANNELS + tap % CHANNELS);
      sum += x * bytes.get(256 + i % OUTPUTS * 4 * CHANNELS + tap);
    }
    return sum;
  }

  private static Convolution convolution(long x, long filter, long y) {
    return new Convolution(
        Convolution.Direction.FORWARD,
        x,
        filter,
        y,
        1,
        HEIGHT,
        WIDTH,
        CHANNELS,
        2,
        2,
        OUTPUTS,
        ROWS,
        COLUMNS,
        1,
        1,
        1,
        1,
        0,
        0,
        1,
        ElementType.INT8);
  }

  private static Tensor tensor(
      int number, Place place, Type type, long n, long channels, long rows, long columns) {
    List<Long> dims = List.of(n, channels, rows, columns);
    List<Long> strides = List.of(rows * columns * channels, 1L, columns * channels, channels);
    return new Tensor(number, place, type, dims, strides, 0);
  }

  private static OperationGraph graph() {
    Tensor x = tensor(0, Place.MEMORY, Type.INT8, 1, CHANNELS, HEIGHT, WIDTH);
    Tensor filter = tensor(1, Place.MEMORY, Type.INT8, OUTPUTS, CHANNELS, 2, 2);
    Tensor y = tensor(2, Place.MEMORY, Type.INT32, 1, OUTPUTS, ROWS, COLUMNS);
    Tensor sums = tensor(3, Place.NOWHERE, Type.INT32, 1, OUTPUTS, ROWS, COLUMNS);
    return new OperationGraph(
        "a convolution of bytes",
        0,
        List.of(x, filter, y, sums),
        List.of(
            new Windows(x, filter, sums, 1, 1, 1, 1),
            new Pointwise(Mode.IDENTITY, sums, null, null, y, 0, Type.INT32)));
  }
}
