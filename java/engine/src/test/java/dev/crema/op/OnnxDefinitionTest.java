package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Layers of bytes against QLinearMatMul and QLinearConv of ONNX opset 21 and ONNX Runtime's
 * QLinearAdd in exact arithmetic: saturate(half to even of the number in steps of y, plus the zero
 * point). With powers of two as scales every byte agrees, ties too. With others a byte may differ
 * by one step where the number is nearer to a tie than float32 can tell.
 */
class OnnxDefinitionTest {
  private static final int ROWS = 9;
  private static final int UNITS = 21;
  private static final MathContext DIGITS = new MathContext(80);
  private static final BigDecimal HALF = new BigDecimal("0.5");

  private final Random random = new Random(11);

  private QuantizationParameters parameters(boolean exact, int exponent) {
    float scale = exact ? Math.scalb(1f, exponent) : Math.scalb(1 + random.nextFloat(), exponent);
    return new QuantizationParameters(scale, random.nextInt(256));
  }

  private byte[] bytes(int count) {
    byte[] x = new byte[count];
    random.nextBytes(x);
    return x;
  }

  private static BigDecimal exact(float x) {
    return new BigDecimal(x);
  }

  private static BigDecimal number(byte b, QuantizationParameters q) {
    return exact(q.scale()).multiply(BigDecimal.valueOf((b & 255) - q.zeroPoint()));
  }

  /** Runs y on every device and compares with the exact numbers that y stands for. */
  private static void check(
      Graph graph,
      Node y,
      Map<String, byte[]> inputs,
      long memoryFloats,
      QuantizationParameters q,
      boolean exact,
      IntFunction<BigDecimal> definition) {
    int[] ties = new int[1];
    EveryDevice.check(
        device -> {
          try (Buffer memory = Buffer.allocate(4 * Math.max(1, memoryFloats));
              Plan plan =
                  Plan.of(graph)
                      .outputs(y)
                      .capacity(ROWS)
                      .storage(Storage.STATE, memory)
                      .device(device)
                      .build()) {
            inputs.forEach((name, x) -> plan.input(name).borrow(0, x.length).put(x));
            plan.run(ROWS);
            ByteBuffer actual = plan.output(y);
            int count = Math.toIntExact(y.type().elements().at(ROWS));
            for (int i = 0; i < count; i++) {
              BigDecimal steps = definition.apply(i).divide(exact(q.scale()), DIGITS);
              BigDecimal whole = steps.setScale(0, RoundingMode.HALF_EVEN);
              int expected = whole.intValueExact() + q.zeroPoint();
              expected = Math.max(0, Math.min(255, expected));
              BigDecimal toTie = steps.subtract(whole).abs().subtract(HALF).abs();
              ties[0] += toTie.signum() == 0 ? 1 : 0;
              // Five roundings of float32 at most: of scales, products and sums up to a thousand
              // steps.
              double size = Math.max(1000, Math.abs(steps.doubleValue()));
              boolean near = toTie.doubleValue() < 5 * size * 0x1p-24;
              assertThat(Math.abs((actual.get(i) & 255) - expected))
                  .as("%s: %s, %s steps", device, i, steps)
                  .isLessThanOrEqualTo(near && !exact ? 1 : 0);
            }
          }
        });
    if (exact) {
      assertThat(ties[0]).as("ties, which show how halves are rounded").isPositive();
    }
  }

  private Node packed(
      Graph graph,
      QuantizationParameters x,
      QuantizationParameters y,
      long[] dims,
      long run,
      int[] w,
      float[] scales,
      int[] bias) {
    float[] kernel = new float[w.length];
    for (int i = 0; i < w.length; i++) {
      kernel[i] = w[i] * scales[i % UNITS];
    }
    float[] numbers = new float[UNITS];
    for (int j = 0; j < UNITS; j++) {
      numbers[j] = bias[j] * (x.scale() * scales[j]);
    }
    TensorType type = PackQuantized.typeOf(w.length / UNITS, run, UNITS);
    Node memory = graph.variable("packed", Storage.STATE, 0, type);
    Node k = graph.add(new Constant(kernel, TensorType.of(dims)));
    Node s = graph.add(new Constant(scales, TensorType.of(UNITS)));
    Node b = graph.add(new Constant(numbers, TensorType.of(UNITS)));
    graph.apply(new PackQuantized(x, y, run), memory, k, s, b);
    return memory;
  }

  /**
   * Small ones beside steps of y not much greater than theirs: many sums are ties, few saturate.
   */
  private int[] weights(boolean exact, int count) {
    int most = exact ? 3 : 127;
    return random.ints(count, -most, most + 1).toArray();
  }

  private float[] scales(boolean exact, int exponent) {
    float[] scales = new float[UNITS];
    for (int j = 0; j < UNITS; j++) {
      int e = exponent + random.nextInt(3);
      scales[j] = exact ? Math.scalb(1f, e) : Math.scalb(1 + random.nextFloat(), e);
    }
    return scales;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void denseLayersAreQLinearMatMul(boolean exact) {
    int in = 70;
    QuantizationParameters qx = parameters(exact, -5);
    QuantizationParameters qy = parameters(exact, exact ? -11 : -2);
    float[] scales = scales(exact, -9);
    int[] w = weights(exact, in * UNITS);
    int[] bias = random.ints(UNITS, -200, 200).toArray();
    byte[] x = bytes(ROWS * in);
    Graph graph = new Graph();
    Node bytes = graph.input("x", TensorType.batchOf(ElementType.UINT8, in));
    Node packed = packed(graph, qx, qy, new long[] {in, UNITS}, in, w, scales, bias);
    Node y = bytes.then(new QuantizedLinear(UNITS, FusedActivation.NONE, qy), packed);
    check(
        graph,
        y,
        Map.of("x", x),
        packed.type().elements().constant(),
        qy,
        exact,
        i -> {
          int j = i % UNITS;
          long sum = bias[j];
          for (int p = 0; p < in; p++) {
            sum += (long) ((x[i / UNITS * in + p] & 255) - qx.zeroPoint()) * w[p * UNITS + j];
          }
          BigDecimal step = exact(qx.scale()).multiply(exact(scales[j]));
          return step.multiply(BigDecimal.valueOf(sum));
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void convolutionsAreQLinearConvWhosePaddingIsTheZeroPoint(boolean exact) {
    int side = 4;
    int channels = 5;
    QuantizationParameters qx = parameters(exact, -5);
    QuantizationParameters qy = parameters(exact, exact ? -11 : -2);
    float[] scales = scales(exact, -9);
    int[] w = weights(exact, 9 * channels * UNITS);
    int[] bias = random.ints(UNITS, -200, 200).toArray();
    byte[] x = bytes(ROWS * side * side * channels);
    Graph graph = new Graph();
    Node bytes = graph.input("x", TensorType.batchOf(ElementType.UINT8, side, side, channels));
    long run = QuantizedConv2d.run(Window2d.valid(1, 1), 3, channels);
    long[] dims = {3, 3, channels, UNITS};
    Node packed = packed(graph, qx, qy, dims, run, w, scales, bias);
    Window2d window = Window2d.valid(1, 1).padded(1, 1, 1, 1);
    Node y =
        bytes.then(new QuantizedConv2d(3, 3, UNITS, window, FusedActivation.NONE, qx, qy), packed);
    check(
        graph,
        y,
        Map.of("x", x),
        packed.type().elements().constant(),
        qy,
        exact,
        i -> {
          int j = i % UNITS;
          int pixel = i / UNITS;
          long sum = bias[j];
          for (int t = 0; t < 9 * channels; t++) {
            int row = pixel / side % side + t / channels / 3 - 1;
            int column = pixel % side + t / channels % 3 - 1;
            if (row >= 0 && row < side && column >= 0 && column < side) {
              int at = ((pixel / side / side * side + row) * side + column) * channels;
              sum += (long) ((x[at + t % channels] & 255) - qx.zeroPoint()) * w[t * UNITS + j];
            }
          }
          BigDecimal step = exact(qx.scale()).multiply(exact(scales[j]));
          return step.multiply(BigDecimal.valueOf(sum));
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void sumsAreQLinearAdd(boolean exact) {
    int count = 500;
    QuantizationParameters qa = parameters(exact, -4);
    QuantizationParameters qb = parameters(exact, -5);
    QuantizationParameters qy = parameters(exact, -3);
    byte[] a = bytes(ROWS * count);
    byte[] b = bytes(ROWS * count);
    Graph graph = new Graph();
    Node x = graph.input("a", TensorType.batchOf(ElementType.UINT8, count));
    Node z = graph.input("b", TensorType.batchOf(ElementType.UINT8, count));
    Node y = x.then(new QuantizedAdd(qa, qb, FusedActivation.NONE, qy), z);
    check(
        graph,
        y,
        Map.of("a", a, "b", b),
        0,
        qy,
        exact,
        i -> number(a[i], qa).add(number(b[i], qb)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void meansAreThoseOfTheNumbersThatTheBytesStandFor(boolean exact) {
    int pixels = 16;
    int channels = 50;
    QuantizationParameters qx = parameters(exact, -4);
    QuantizationParameters qy = parameters(exact, -5);
    byte[] x = bytes(ROWS * pixels * channels);
    Graph graph = new Graph();
    Node bytes = graph.input("x", TensorType.batchOf(ElementType.UINT8, 4, 4, channels));
    Node y = bytes.then(new QuantizedGlobalAveragePool(qx, qy));
    check(
        graph,
        y,
        Map.of("x", x),
        0,
        qy,
        exact,
        i -> {
          BigDecimal sum = BigDecimal.ZERO;
          for (int p = 0; p < pixels; p++) {
            sum = sum.add(number(x[(i / channels * pixels + p) * channels + i % channels], qx));
          }
          return sum.divide(BigDecimal.valueOf(pixels), DIGITS);
        });
  }
}
