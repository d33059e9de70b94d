package dev.crema.device.cuda;

import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.op.Conv2d;
import dev.crema.op.Conv2dInputGrad;
import dev.crema.op.Conv2dWeightGrad;
import dev.crema.op.FusedActivation;
import dev.crema.op.MatMul;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** A fake card with a device on it, and small plans of products. */
final class CudaBench implements AutoCloseable {
  static final CudaCard CARD = new CudaCard(0, "Fake card", 8L << 30, 90, 13010);

  final FakeCard card;
  final CudaDevice device;

  CudaBench() {
    this(new CudaOptions(false, Measuring.NOTHING, new KernelCache(null), operation -> -1));
  }

  CudaBench(CudaOptions options) {
    this(new FakeCard(), options);
  }

  CudaBench(FakeCard card, CudaOptions options) {
    this.card = card;
    device = new CudaDevice(card, CARD, options);
  }

  /** y [n, 3] = x [n, 2] · w [2, 3], w the first of the parameters. */
  static Multiplying product(CudaDevice device, Buffer parameters, int capacity) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(2));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(2, 3));
    graph.beginLayer("head");
    Node y = x.then(new MatMul(false, false), w);
    graph.endLayer();
    Plan plan =
        Plan.of(graph)
            .outputs(y)
            .device(device)
            .capacity(capacity)
            .storage(Storage.PARAMETERS, parameters)
            .build();
    return new Multiplying(plan, y);
  }

  /** A plan that reads a storage. */
  record Multiplying(Plan plan, Node y) implements AutoCloseable {
    void run(long batch) {
      plan.run(batch);
    }

    /** The first values of the output. */
    float[] result(int count) {
      float[] values = new float[count];
      plan.output(y).asFloatBuffer().get(0, values);
      return values;
    }

    void input(float... values) {
      CudaBench.input(plan, values);
    }

    @Override
    public void close() {
      plan.close();
    }
  }

  /**
   * A "training": y = x · w [2, 2] is read, then w becomes w · w, and the state w's square once
   * more.
   */
  static Squaring squaring(CudaDevice device, Buffer parameters, int capacity) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(2));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(2, 2));
    Node y = x.then(new MatMul(false, false), w);
    Node squared = w.then(new MatMul(false, false), w);
    Node then = graph.variable("w", Storage.STATE, 0, TensorType.of(2, 2));
    graph.apply(new Assign(false), then, squared);
    Buffer state = Buffer.allocate(16, "state");
    try {
      Plan plan =
          Plan.of(graph)
              .outputs(y)
              .device(device)
              .capacity(capacity)
              .storage(Storage.PARAMETERS, parameters)
              .storage(Storage.STATE, state)
              .build();
      return new Squaring(plan, y, state);
    } catch (RuntimeException | Error e) {
      state.close();
      throw e;
    }
  }

  /** A plan that writes a storage. */
  record Squaring(Plan plan, Node y, Buffer state) implements AutoCloseable {
    @Override
    public void close() {
      plan.close();
      state.close();
    }
  }

  /**
   * y of x [n, 3, 3, 1] under a window of 2 x 2, with a bias and ReLU, and the gradients in x and
   * the kernel. Needs {@link #transposes}.
   *
   * @param parameters the kernel is the first four, the bias the seventeenth
   */
  static Convolving convolution(CudaDevice device, Buffer parameters, int capacity) {
    Graph graph = new Graph();
    Window2d window = Window2d.valid(1, 1);
    Node x = graph.input("x", TensorType.batchOf(3, 3, 1));
    Node dy = graph.input("dy", TensorType.batchOf(2, 2, 1));
    Node w = graph.variable("w", Storage.PARAMETERS, 0, TensorType.of(2, 2, 1, 1));
    Node b = graph.variable("b", Storage.PARAMETERS, 16, TensorType.of(1));
    graph.beginLayer("window");
    Node y = x.then(new Conv2d(window, 1, FusedActivation.RELU), w, b);
    Node dx = dy.then(new Conv2dInputGrad(window, 1, x.type()), w);
    Node dw = x.then(new Conv2dWeightGrad(window, 1, w.type(), false), dy);
    graph.endLayer();
    Plan plan =
        Plan.of(graph)
            .outputs(y, dx, dw)
            .device(device)
            .capacity(capacity)
            .storage(Storage.PARAMETERS, parameters)
            .build();
    return new Convolving(plan, y, dx, dw);
  }

  /** A plan of a convolution and its gradients. */
  record Convolving(Plan plan, Node y, Node dx, Node dw) implements AutoCloseable {
    float[] result(Node of, int count) {
      float[] values = new float[count];
      plan.output(of).asFloatBuffer().get(0, values);
      return values;
    }

    @Override
    public void close() {
      plan.close();
    }
  }

  /** Gives a card the kernel that turns filters around. */
  static void transposes(FakeCard card) {
    card.kernels.put(
        "transpose_filter_4",
        "ppll",
        to -> {
          int rows = (int) to[2];
          int columns = (int) to[3];
          for (int i = 0; i < rows * columns; i++) {
            int at = i % columns * rows + i / columns;
            float value = FakeKernels.view(to[0], 4L * rows * columns).getFloat(4 * i);
            FakeKernels.view(to[1], 4L * rows * columns).putFloat(4 * at, value);
          }
        });
  }

  static Buffer ones(int count) {
    float[] values = new float[count];
    Arrays.fill(values, 1);
    return floats(values);
  }

  static Buffer floats(float... values) {
    Buffer buffer = Buffer.allocate(4L * values.length, "values");
    write(buffer, values);
    return buffer;
  }

  /** As the engine writes: through a borrowed view, and says so. */
  static void write(Buffer buffer, float... values) {
    buffer.borrow(0, 4 * values.length).asFloatBuffer().put(values);
    buffer.changed();
  }

  static float[] read(Buffer buffer, int count) {
    float[] values = new float[count];
    buffer.borrow(0, 4 * count).asFloatBuffer().get(values);
    return values;
  }

  static void input(Plan plan, float... values) {
    FloatBuffer memory = plan.input("x").borrow(0, 4 * values.length).asFloatBuffer();
    memory.put(values);
  }

  @Override
  public void close() {
    device.close();
  }
}
