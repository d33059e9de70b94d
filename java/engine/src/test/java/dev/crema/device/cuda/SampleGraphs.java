package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cuda.kernel.OperationGraph;
import dev.crema.device.cuda.kernel.OperationGraph.Mode;
import dev.crema.device.cuda.kernel.OperationGraph.Norm;
import dev.crema.device.cuda.kernel.OperationGraph.NormGradient;
import dev.crema.device.cuda.kernel.OperationGraph.Operation;
import dev.crema.device.cuda.kernel.OperationGraph.Over;
import dev.crema.device.cuda.kernel.OperationGraph.Place;
import dev.crema.device.cuda.kernel.OperationGraph.Pointwise;
import dev.crema.device.cuda.kernel.OperationGraph.Product;
import dev.crema.device.cuda.kernel.OperationGraph.Reduction;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;
import dev.crema.device.cuda.kernel.OperationGraph.View;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Small graphs of all operations that there are, and a run of one on a device of the host. */
final class SampleGraphs {
  private static final int ROOM = 256; // bytes of a tensor
  private static final long SCRATCH = 1 << 12;

  private final List<Tensor> tensors = new ArrayList<>();
  private final List<Operation> operations = new ArrayList<>();

  private SampleGraphs() {}

  private Tensor tensor(Place place, Type type, float value, long... dims) {
    List<Long> strides = List.of(dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1L);
    List<Long> extents = List.of(dims[0], dims[1], dims[2], dims[3]);
    Tensor made = new Tensor(tensors.size(), place, type, extents, strides, value);
    tensors.add(made);
    return made;
  }

  private Tensor memory(long... dims) {
    return tensor(Place.MEMORY, Type.FLOAT32, 0, dims);
  }

  private Tensor between(Type type, long... dims) {
    return tensor(Place.NOWHERE, type, 0, dims);
  }

  private Tensor value(float value) {
    return tensor(Place.VALUE, Type.FLOAT32, value, 1, 1, 1, 1);
  }

  private void pointwise(Mode mode, Tensor x, Tensor b, Tensor mask, Tensor y, int axis) {
    operations.add(new Pointwise(mode, x, b, mask, y, axis, Type.FLOAT32));
  }

  /** c [1, 1, 2, 2] = factor · a [.., 2, 3] · b [.., 3, 2]. */
  static OperationGraph scaledProduct(float factor, long least) {
    SampleGraphs g = new SampleGraphs();
    Tensor a = g.memory(1, 1, 2, 3);
    Tensor b = g.memory(1, 1, 3, 2);
    Tensor c = g.memory(1, 1, 2, 2);
    Tensor sums = g.between(Type.FLOAT32, 1, 1, 2, 2);
    g.operations.add(new Product(a, b, sums));
    g.pointwise(Mode.MULTIPLY, sums, g.value(factor), null, c, 0);
    return new OperationGraph("a scaled product", least, g.tensors, g.operations);
  }

  /**
   * y [1, 2, 3, 3] = the softmax of x [1, 2, 3, 3] below the diagonal, transposed; its log-sums.
   */
  static OperationGraph softmax() {
    SampleGraphs g = new SampleGraphs();
    long[] dims = {1, 2, 3, 3};
    Tensor x = g.memory(dims);
    Tensor y = g.memory(dims);
    Tensor logs = g.memory(1, 2, 3, 1);
    Tensor rows = g.between(Type.INT32, dims);
    Tensor columns = g.between(Type.INT32, dims);
    Tensor mask = g.between(Type.BOOLEAN, dims);
    Tensor seen = g.between(Type.FLOAT32, dims);
    g.pointwise(Mode.INDEX, x, null, null, rows, 2);
    g.pointwise(Mode.INDEX, x, null, null, columns, 3);
    g.pointwise(Mode.NOT_LESS, rows, columns, null, mask, 0);
    g.pointwise(Mode.SELECT, x, g.value(Float.NEGATIVE_INFINITY), mask, seen, 0);
    Tensor most = g.between(Type.FLOAT32, 1, 2, 3, 1);
    Tensor shifted = g.between(Type.FLOAT32, dims);
    Tensor exponentials = g.between(Type.FLOAT32, dims);
    Tensor sums = g.between(Type.FLOAT32, 1, 2, 3, 1);
    Tensor logOfSums = g.between(Type.FLOAT32, 1, 2, 3, 1);
    Tensor weights = g.between(Type.FLOAT32, dims);
    g.operations.add(new Reduction(true, seen, most));
    g.pointwise(Mode.SUBTRACT, seen, most, null, shifted, 0);
    g.pointwise(Mode.EXP, shifted, null, null, exponentials, 0);
    g.operations.add(new Reduction(false, exponentials, sums));
    g.pointwise(Mode.LOG, sums, null, null, logOfSums, 0);
    g.pointwise(Mode.ADD, most, logOfSums, null, logs, 0);
    g.pointwise(Mode.DIVIDE, exponentials, sums, null, weights, 0);
    Tensor turned =
        new Tensor(
            g.tensors.size(),
            Place.NOWHERE,
            Type.BFLOAT16,
            weights.dims(),
            List.of(18L, 9L, 1L, 3L),
            0);
    g.tensors.add(turned);
    g.operations.add(new View(weights, turned));
    g.pointwise(Mode.ADD, turned, g.value(0), null, y, 0);
    return new OperationGraph("softmax", 0, g.tensors, g.operations);
  }

  /** Of three rows of five. */
  static OperationGraph layerNorm() {
    SampleGraphs g = new SampleGraphs();
    Tensor x = g.memory(3, 5, 1, 1);
    Tensor gamma = g.memory(1, 5, 1, 1);
    Tensor beta = g.memory(1, 5, 1, 1);
    Tensor y = g.memory(3, 5, 1, 1);
    Tensor mean = g.memory(3, 1, 1, 1);
    Tensor inverse = g.memory(3, 1, 1, 1);
    g.operations.add(new Norm(Over.EXAMPLE, x, gamma, beta, g.value(0.01f), y, mean, inverse));
    return new OperationGraph("layer norm", 0, g.tensors, g.operations);
  }

  /** Likewise. */
  static OperationGraph layerNormGradient() {
    SampleGraphs g = new SampleGraphs();
    Tensor x = g.memory(3, 5, 1, 1);
    Tensor gamma = g.memory(1, 5, 1, 1);
    Tensor mean = g.memory(3, 1, 1, 1);
    Tensor inverse = g.memory(3, 1, 1, 1);
    Tensor dy = g.memory(3, 5, 1, 1);
    Tensor dx = g.memory(3, 5, 1, 1);
    Tensor dgamma = g.memory(1, 5, 1, 1);
    Tensor dbeta = g.memory(1, 5, 1, 1);
    g.operations.add(
        new NormGradient(Over.EXAMPLE, x, gamma, mean, inverse, dy, dx, dgamma, dbeta));
    return new OperationGraph("layer norm's gradient", 0, g.tensors, g.operations);
  }

  /** Of two images of three channels. */
  static OperationGraph batchNorm() {
    SampleGraphs g = new SampleGraphs();
    Tensor x = g.memory(2, 3, 2, 4);
    Tensor gamma = g.memory(1, 3, 1, 1);
    Tensor beta = g.memory(1, 3, 1, 1);
    Tensor y = g.memory(2, 3, 2, 4);
    Tensor mean = g.memory(1, 3, 1, 1);
    Tensor inverse = g.memory(1, 3, 1, 1);
    g.operations.add(new Norm(Over.CHANNEL, x, gamma, beta, g.value(0.01f), y, mean, inverse));
    return new OperationGraph("batch norm", 0, g.tensors, g.operations);
  }

  /** Likewise. */
  static OperationGraph batchNormGradient() {
    SampleGraphs g = new SampleGraphs();
    Tensor x = g.memory(2, 3, 2, 4);
    Tensor gamma = g.memory(1, 3, 1, 1);
    Tensor mean = g.memory(1, 3, 1, 1);
    Tensor inverse = g.memory(1, 3, 1, 1);
    Tensor dy = g.memory(2, 3, 2, 4);
    Tensor dx = g.memory(2, 3, 2, 4);
    Tensor dgamma = g.memory(1, 3, 1, 1);
    Tensor dbeta = g.memory(1, 3, 1, 1);
    g.operations.add(
        new NormGradient(Over.CHANNEL, x, gamma, mean, inverse, dy, dx, dgamma, dbeta));
    return new OperationGraph("batch norm's gradient", 0, g.tensors, g.operations);
  }

  /** The float32 numbers of all tensors in memory after a run, which began as some or other. */
  static float[] run(CudaDevice device, OperationGraph graph) {
    Context context = device.context();
    context.enter();
    int count = graph.inMemory().size();
    long stream = Streams.create(context);
    DeviceMemory.Piece scratch = device.memory().allocate(SCRATCH, "scratch");
    DeviceMemory.Piece memory = device.memory().allocate((long) count * ROOM, "tensors");
    try {
      ByteBuffer values = FakeKernels.view(memory.address(), (long) count * ROOM);
      for (int i = 0; i < count * ROOM / 4; i++) {
        values.putFloat(4 * i, (float) Math.sin(i * 0.7));
      }
      long[] addresses =
          IntStream.range(0, count).mapToLong(i -> memory.address() + (long) i * ROOM).toArray();
      ScratchSize size = new ScratchSize(device, false);
      size.begin();
      assertThat(size.graphIfThere(graph, addresses)).isTrue();
      Recorder to = new Recorder(device, false, stream, scratch.address(), SCRATCH);
      to.begin(null, null);
      assertThat(to.graphIfThere(graph, addresses)).isTrue();
      context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
      float[] all = new float[count * ROOM / 4];
      values.asFloatBuffer().get(all);
      return all;
    } finally {
      Streams.destroy(context, stream);
      memory.close();
      scratch.close();
    }
  }
}
