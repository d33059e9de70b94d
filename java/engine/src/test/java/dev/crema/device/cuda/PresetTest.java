package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.crema.device.Device;
import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.device.cuda.calls.LibraryFiles;
import dev.crema.device.cuda.kernel.OperationGraph;
import dev.crema.device.cuda.kernel.Product;
import dev.crema.device.cuda.kernel.Product.Types;
import dev.crema.device.cuda.preset.PresetLibraries;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.op.Conv2d;
import dev.crema.op.Conv2dInputGrad;
import dev.crema.op.Conv2dWeightGrad;
import dev.crema.op.Fp8;
import dev.crema.op.FusedActivation;
import dev.crema.op.Linear;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * The JavaCPP preset's calls, against stand-ins for NVIDIA's libraries: every argument arrives,
 * every result comes back. Skipped where there is no C++ compiler, or a driver.
 */
class PresetTest {
  // Loaded libraries stay open until the JVM ends.
  @TempDir(cleanup = CleanupMode.NEVER)
  private Path folder;

  @Test
  void plansRunThroughThePreset() throws IOException, InterruptedException {
    assumeThat(Device.cudaCards().hasDriver()).as("a driver is here: no stand-ins").isFalse();
    CudaStubs.build(folder);
    CudaOptions options =
        new CudaOptions(
            false, Measuring.NOTHING, new KernelCache(folder.resolve("kernels")), o -> -1);
    CudaCards cards =
        CudaCards.of(
            () -> new PresetLibraries(new LibraryFiles(List.of(folder), name -> false)), options);
    assertThat(cards.reason()).isNull();
    assertThat(cards.cards()).hasSize(2);
    assertThat(cards.usable().get(0).description())
        .isEqualTo("Stub card, 12.0 GiB, compute capability 9.0, driver for CUDA 13.2");
    assertThat(cards.whyNot()).startsWith("cuda:1: compute capability 7.0");
    assertThat(cards.libraries())
        .extracting(CudaLibrary::version)
        .containsExactly("580.65.06", "13.2.0", "9.19.0", "13.2");
    CudaDevice device = cards.device(0);
    assertThat(device.processor().multiprocessors()).isEqualTo(1016);
    assertThat(device.utilization()).hasValue(0.37);
    linear(device, FusedActivation.RELU);
    linear(device, FusedActivation.TANH);
    rows(device, FP8);
    rows(device, BYTES);
    graph(device, SampleGraphs.scaledProduct(-2, 0));
    graph(device, SampleGraphs.softmax());
    graph(device, SampleGraphs.layerNorm());
    graph(device, SampleGraphs.layerNormGradient());
    graph(device, SampleGraphs.batchNorm());
    graph(device, SampleGraphs.batchNormGradient());
    convolution(device, x -> x.get(0).then(new Conv2d(window(), 2), x.get(1), x.get(2)));
    convolution(
        device, x -> x.get(3).then(new Conv2dInputGrad(window(), 2, x.get(0).type()), x.get(1)));
    convolution(
        device,
        x -> x.get(0).then(new Conv2dWeightGrad(window(), 2, x.get(1).type(), false), x.get(3)));
    PresetSignedConvolutionCheck.run(device);
    PresetRecurrentCheck.run(device, true);
    PresetRecurrentCheck.run(device, false);
    assertThat(Path.of("/proc/self/maps")).content().contains("libnvrtc-builtins.so.13.2");
    assertThat(device.context().calls().errorName(2)).isEqualTo("CUDA_ERROR_OUT_OF_MEMORY");
    device.close();
  }

  private static Window2d window() {
    return Window2d.valid(2, 1).padded(1, 1, 1, 1);
  }

  private static void linear(CudaDevice device, FusedActivation activation) {
    compare(
        device,
        graph -> {
          Node x = graph.input("x0", TensorType.batchOf(5));
          Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(5, 3));
          Node b = graph.variable("b", Storage.PARAMETERS, 32, TensorType.of(3));
          return x.then(new Linear(activation), w, b);
        });
  }

  private static final Types FP8 = new Types(ElementType.UINT8, ElementType.FLOAT32, false);
  private static final Types BYTES = new Types(ElementType.INT8, ElementType.INT32, false);

  /** y [3, 16] = x [3, 32] · w [32, 16], w as rows of 32; refused where 16 are 15. */
  private static void rows(CudaDevice device, Types types) {
    DriverCalls calls = device.context().calls();
    device.context().enter();
    long[] stream = new long[1];
    assertThat(calls.cuStreamCreate(stream, 1)).isZero();
    DeviceMemory.Piece x = device.memory().allocate(3 * 32, "x");
    DeviceMemory.Piece w = device.memory().allocate(16 * 32, "w");
    DeviceMemory.Piece y = device.memory().allocate(4 * 3 * 16, "y");
    DeviceMemory.Piece scratch = device.memory().allocate(1 << 12, "scratch");
    boolean whole = types.equals(BYTES);
    ByteBuffer codes = FakeKernels.view(x.address(), 3 * 32); // the stub's memory is the host's
    ByteBuffer weights = FakeKernels.view(w.address(), 16 * 32);
    for (int i = 0; i < 16 * 32; i++) {
      weights.put(i, whole ? (byte) (i % 251 - 125) : Fp8.of(i % 13 - 6));
      if (i < 3 * 32) {
        codes.put(i, whole ? (byte) (i * 37) : Fp8.of(i % 7 * 0.25f));
      }
    }
    Recorder to = new Recorder(device, false, stream[0], scratch.address(), 1 << 12);
    Product of =
        Product.of(3, 16, 32, x.address(), false, w.address(), true, y.address()).of(types);
    assertThat(to.productIfThere(of)).isTrue();
    ByteBuffer sums = FakeKernels.view(y.address(), 4 * 3 * 16);
    for (int i = 0; i < 3 * 16; i++) {
      float sum = 0; // exact
      for (int k = 0; k < 32; k++) {
        byte a = codes.get(i / 16 * 32 + k);
        byte b = weights.get(i % 16 * 32 + k);
        sum += whole ? a * b : Fp8.valueOf(a) * Fp8.valueOf(b);
      }
      assertThat(whole ? sums.getInt(4 * i) : sums.getFloat(4 * i)).isEqualTo(sum);
    }
    Product odd =
        Product.of(3, 15, 32, x.address(), false, w.address(), true, y.address()).of(types);
    assertThat(to.productIfThere(odd)).isFalse();
    Stream.of(x, w, y, scratch).forEach(DeviceMemory.Piece::close);
    calls.cuStreamDestroy(stream[0]);
  }

  /** By cuDNN's graph API: the numbers that the fake computes, which is another reading of it. */
  private static void graph(CudaDevice device, OperationGraph graph) {
    CudaOptions options = new CudaOptions(false, Measuring.NOTHING, new KernelCache(null), o -> -1);
    try (CudaBench fake = new CudaBench(new FakeCard(), options)) {
      assertThat(SampleGraphs.run(device, graph))
          .as(graph.name())
          .containsExactly(SampleGraphs.run(fake.device, graph), Offset.offset(1e-6f));
      assertThat(fake.card.misuses).isEmpty();
    }
  }

  /** Of images [n, 7, 5, 4], a kernel [3, 3, 2, 6], a bias, and outputs [n, 4, 5, 6]. */
  private static void convolution(CudaDevice device, Function<List<Node>, Node> op) {
    compare(
        device,
        graph ->
            op.apply(
                List.of(
                    graph.input("x0", TensorType.batchOf(7, 5, 4)),
                    graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(3, 3, 2, 6)),
                    graph.variable("b", Storage.PARAMETERS, 112, TensorType.of(6)),
                    graph.input("x1", TensorType.batchOf(4, 5, 6)))));
  }

  /** On the stub card and on the CPU, three times: one by one, recorded, and from the graph. */
  private static void compare(CudaDevice device, Function<Graph, Node> build) {
    try (Buffer parameters = Buffer.allocate(4 * 128, "parameters")) {
      fill(parameters, 1);
      float[] expected = run(Device.cpu(), build, parameters);
      float[] actual = run(device, build, parameters);
      assertThat(actual).isNotEmpty();
      assertThat(actual).containsExactly(expected, Offset.offset(1e-5f)); // other order of sums
    }
  }

  private static float[] run(Device device, Function<Graph, Node> build, Buffer parameters) {
    Graph graph = new Graph();
    Node y = build.apply(graph);
    try (Plan plan =
        Plan.of(graph)
            .outputs(y)
            .device(device)
            .capacity(3)
            .storage(Storage.PARAMETERS, parameters)
            .build()) {
      float[] result = null;
      for (int i = 0; i < 3; i++) {
        for (String input : plan.inputs()) {
          fill(plan.input(input), 2 + i);
        }
        plan.run(2);
        FloatBuffer values = plan.output(y).asFloatBuffer();
        result = new float[(int) y.type().at(2).elements()];
        values.get(0, result);
      }
      return result;
    }
  }

  private static void fill(Buffer buffer, int seed) {
    int count = (int) (buffer.byteSize() / 4);
    FloatBuffer floats = buffer.borrow(0, 4 * count).asFloatBuffer();
    for (int i = 0; i < count; i++) {
      floats.put(i, (float) Math.sin(seed * 31 + i * 0.7));
    }
    buffer.changed();
  }
}
