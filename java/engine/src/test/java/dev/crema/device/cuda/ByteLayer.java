package dev.crema.device.cuda;

import dev.crema.device.Device;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.op.DynamicQuantizedLinear;
import dev.crema.op.FusedActivation;
import dev.crema.op.PackQuantized;
import dev.crema.op.QuantizationParameters;
import dev.crema.op.QuantizedConv2d;
import dev.crema.op.QuantizedLinear;
import dev.crema.op.Window2d;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;

/** A layer of bytes with weights and inputs at random. */
final class ByteLayer implements AutoCloseable {
  enum Kind {
    BYTES("quantized_linear"),
    FLOATS("quantized_linear"),
    DYNAMIC("dynamic_quantized_linear"),
    CONVOLUTION("quantized_linear"),
    /** Of 3 x 3 pixels, of an image of as many, with padding. */
    WINDOWS("quantized_conv2d");

    final String last;

    Kind(String last) {
      this.last = last;
    }
  }

  /** Images of a convolution, its kernel and its window; whether the outputs are bytes. */
  record Images(
      int height, int width, int kernelHeight, int kernelWidth, Window2d window, boolean toBytes) {
    static Images of(Kind kind) {
      int side = kind == Kind.WINDOWS ? 3 : 1;
      int around = side / 2;
      Window2d window = Window2d.valid(1, 1).padded(around, around, around, around);
      return new Images(side, 3, side, side, window, true);
    }

    int taps() {
      return kernelHeight * kernelWidth;
    }
  }

  private static final QuantizationParameters X = new QuantizationParameters(0.02f, 131);
  private static final QuantizationParameters Y = new QuantizationParameters(0.9f, 7);

  private final Kind kind;
  private final Images images;
  private final int rows;
  private final int units;
  private final int in;
  private final Buffer memory; // of what is packed
  private final Graph graph = new Graph();
  private final Node y;
  private final byte[] x;
  private byte[] ofCpu;

  ByteLayer(Kind kind, int rows, int in, int units) {
    this(kind, rows, in, units, Images.of(kind));
  }

  ByteLayer(Kind kind, int rows, int in, int units, Images images) {
    this.kind = kind;
    this.images = images;
    this.rows = rows;
    this.in = in;
    this.units = units;
    Random random = new Random(3);
    boolean convolves = kind == Kind.WINDOWS || kind == Kind.CONVOLUTION;
    float[] kernel = new float[images.taps() * in * units];
    float[] scales = new float[units];
    float[] bias = new float[units];
    for (int j = 0; j < units; j++) {
      scales[j] = 0.002f + 0.01f * random.nextFloat();
      bias[j] = (float) random.nextGaussian();
    }
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] = scales[i % units] * (random.nextInt(255) - 127);
    }
    long pixels = convolves ? (long) images.height() * images.width() : 1;
    this.x = new byte[Math.toIntExact(rows * pixels * in)];
    random.nextBytes(x);
    boolean dynamic = kind == Kind.DYNAMIC;
    long run = QuantizedConv2d.run(images.window(), images.kernelWidth(), in);
    TensorType type = PackQuantized.typeOf((long) images.taps() * in, run, units);
    this.memory = Buffer.allocate(4 * type.elements().constant());
    Node packed = graph.variable("packed", Storage.STATE, 0, type);
    TensorType shape =
        convolves
            ? TensorType.of(images.kernelHeight(), images.kernelWidth(), in, units)
            : TensorType.of(in, units);
    Node k = graph.add(new Constant(kernel, shape));
    Node s = graph.add(new Constant(scales, TensorType.of(units)));
    Node b = graph.add(new Constant(bias, TensorType.of(units)));
    boolean toBytes = kind == Kind.BYTES || convolves && images.toBytes();
    QuantizationParameters to = toBytes ? Y : null;
    graph.apply(new PackQuantized(dynamic ? null : X, to, run), packed, k, s, dynamic ? null : b);
    TensorType input =
        convolves
            ? TensorType.batchOf(ElementType.UINT8, images.height(), images.width(), in)
            : TensorType.batchOf(ElementType.UINT8, in);
    Node of = graph.input("x", input);
    graph.beginLayer("head");
    this.y =
        switch (kind) {
          case BYTES -> of.then(new QuantizedLinear(units, FusedActivation.RELU, Y), packed);
          case FLOATS -> of.then(new QuantizedLinear(units, FusedActivation.NONE, null), packed);
          case DYNAMIC -> {
            Node rowScales = graph.input("scales", TensorType.batchOf(1));
            Node zeros = graph.input("zeros", TensorType.batchOf(ElementType.UINT8, 1));
            yield of.then(
                new DynamicQuantizedLinear(units, FusedActivation.RELU),
                rowScales,
                zeros,
                packed,
                b);
          }
          case CONVOLUTION, WINDOWS -> convolution(of, packed, to);
        };
    graph.endLayer();
  }

  private Node convolution(Node of, Node packed, QuantizationParameters to) {
    return of.then(
        new QuantizedConv2d(
            images.kernelHeight(),
            images.kernelWidth(),
            units,
            images.window(),
            FusedActivation.NONE,
            X,
            to),
        packed);
  }

  Plan plan(Device device) {
    return Plan.of(graph)
        .outputs(y)
        .capacity(rows)
        .storage(Storage.STATE, memory)
        .passes(List.of())
        .device(device)
        .build();
  }

  void fill(Plan plan) {
    put(plan, "x", x);
    if (kind == Kind.DYNAMIC) {
      byte[] zeros = new byte[rows];
      ByteBuffer scales = plan.input("scales").borrow(0, 4 * rows).order(ByteOrder.nativeOrder());
      for (int r = 0; r < rows; r++) {
        zeros[r] = (byte) (40 * r + 5);
        scales.putFloat(4 * r, 0.5f + r);
      }
      plan.input("scales").changed();
      put(plan, "zeros", zeros);
    }
  }

  private static void put(Plan plan, String input, byte[] values) {
    plan.input(input).borrow(0, values.length).put(values);
    plan.input(input).changed();
  }

  byte[] run(Plan plan, int batch) {
    fill(plan);
    plan.run(batch);
    ByteBuffer result = plan.output(y);
    byte[] bytes = new byte[result.remaining() / rows * batch];
    result.get(result.position(), bytes);
    return bytes;
  }

  /** The CPU's result of all rows. */
  byte[] onTheCpu() {
    if (ofCpu == null) {
      try (ByteLayer twin = new ByteLayer(kind, rows, in, units, images);
          Plan plan = twin.plan(Device.cpu())) {
        ofCpu = twin.run(plan, rows);
      }
    }
    return ofCpu.clone();
  }

  @Override
  public void close() {
    memory.close();
  }
}
