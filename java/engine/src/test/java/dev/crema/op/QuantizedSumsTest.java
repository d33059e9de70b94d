package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sums and means of bytes against float64: half a step off at most; maxima to the bit. */
class QuantizedSumsTest {
  private static final QuantizationParameters A = new QuantizationParameters(0.02f, 77);
  private static final QuantizationParameters B = new QuantizationParameters(0.013f, 200);
  private static final QuantizationParameters Y = new QuantizationParameters(0.021f, 60);
  private static final int IMAGES = 2;
  private static final int SIDE = 5;
  private static final int PIXELS = SIDE * SIDE;

  private static TensorType bytes(long... extents) {
    return TensorType.batchOf(ElementType.UINT8, extents);
  }

  private static byte[] random(int seed, int count) {
    byte[] x = new byte[count];
    new Random(seed).nextBytes(x);
    return x;
  }

  private static double number(byte b, QuantizationParameters q) {
    return ((b & 255) - q.zeroPoint()) * (double) q.scale();
  }

  /** Runs the node y of one or two inputs on every device. */
  private static void check(
      Graph graph, Node y, byte[] a, byte[] b, IntToDoubleFunction expected, double limit) {
    EveryDevice.check(
        device -> {
          try (Plan plan = Plan.of(graph).outputs(y).capacity(IMAGES).device(device).build()) {
            plan.input("a").borrow(0, a.length).put(a);
            if (plan.inputs().contains("b")) {
              plan.input("b").borrow(0, b.length).put(b);
            }
            plan.run(IMAGES);
            ByteBuffer actual = plan.output(y);
            int count = Math.toIntExact(y.type().elements().at(IMAGES));
            for (int i = 0; i < count; i++) {
              boolean floats = y.type().element() == ElementType.FLOAT32;
              double v = expected.applyAsDouble(i);
              double lowest = -Y.zeroPoint() * (double) Y.scale();
              double highest = (255 - Y.zeroPoint()) * (double) Y.scale();
              double e = floats ? v : Math.max(lowest, Math.min(highest, v));
              double got = floats ? actual.getFloat(4 * i) : number(actual.get(i), Y);
              // Float: a few roundings of numbers up to 5. Bytes: half a step, and those.
              assertThat(Math.abs(got - e)).as("%s: %s", device, i).isLessThan(limit);
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 37})
  void sums(int channels) {
    byte[] a = random(1, IMAGES * PIXELS * channels);
    byte[] b = random(2, a.length);
    for (FusedActivation f : new FusedActivation[] {FusedActivation.NONE, FusedActivation.RELU}) {
      for (QuantizationParameters q : new QuantizationParameters[] {Y, null}) {
        Graph graph = new Graph();
        Node x = graph.input("a", bytes(SIDE, SIDE, channels));
        Node z = graph.input("b", bytes(SIDE, SIDE, channels));
        Node y = x.then(new QuantizedAdd(A, B, f, q), z);
        IntToDoubleFunction sum =
            i -> {
              double v = number(a[i], A) + number(b[i], B);
              return f == FusedActivation.RELU ? Math.max(0, v) : v;
            };
        check(graph, y, a, b, sum, q == null ? 2e-6 : 0.5001 * Y.scale());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 16, 37})
  void means(int channels) {
    byte[] a = random(3, IMAGES * PIXELS * channels);
    for (QuantizationParameters q : new QuantizationParameters[] {Y, null}) {
      Graph graph = new Graph();
      Node x = graph.input("a", bytes(SIDE, SIDE, channels));
      double limit = q == null ? 2e-6 : 0.5001 * Y.scale();
      Node all = x.then(new QuantizedGlobalAveragePool(A, q));
      check(graph, all, a, a, i -> mean(a, channels, i, 0, 0, SIDE), limit);
      // Windows of 3 by 3 at the stride 2, of which one column and row is padding at the edges.
      Window2d window = Window2d.valid(2, 2).padded(1, 1, 1, 1);
      Node some = x.then(new QuantizedAveragePool2d(3, 3, window, false, A, q));
      check(
          graph,
          some,
          a,
          a,
          i -> {
            int row = i / channels / 3 % 3 * 2 - 1;
            int column = i / channels % 3 * 2 - 1;
            return mean(a, channels, i / channels / 9 * channels + i % channels, row, column, 3);
          },
          limit);
    }
  }

  /** Of channel {@code i} of all images, over a window of {@code side} squared pixels. */
  private static double mean(byte[] a, int channels, int i, int row, int column, int side) {
    double sum = 0;
    int pixels = 0;
    for (int r = Math.max(0, row); r < Math.min(SIDE, row + side); r++) {
      for (int c = Math.max(0, column); c < Math.min(SIDE, column + side); c++, pixels++) {
        int at = (i / channels * PIXELS + r * SIDE + c) * channels + i % channels;
        sum += number(a[at], A);
      }
    }
    return sum / pixels;
  }

  @Test
  void whatHasNoMeaningIsRefused() {
    Graph graph = new Graph();
    Node x = graph.input("x", bytes(4, 4, 3));
    Node floats = graph.input("f", TensorType.batchOf(4, 4, 3));
    QuantizedAdd add = new QuantizedAdd(A, B, FusedActivation.NONE, Y);
    assertThatThrownBy(() -> x.then(add, floats)).hasMessageContaining("both inputs");
    assertThatThrownBy(() -> floats.then(add, x)).hasMessageContaining("UINT8");
    assertThatThrownBy(() -> new QuantizedAdd(A, B, FusedActivation.GELU, Y))
        .hasMessageContaining("GELU");
    assertThatThrownBy(() -> floats.then(new QuantizedGlobalAveragePool(A, Y)))
        .hasMessageContaining("UINT8");
    assertThatThrownBy(() -> x.then(new GlobalAveragePool())).hasMessageContaining("FLOAT32");
    assertThatThrownBy(() -> x.then(new AveragePool2d(2, 2, Window2d.valid(2, 2), false)))
        .hasMessageContaining("FLOAT32");
    Node many = graph.input("m", bytes(4000, 4000, 1));
    assertThatThrownBy(() -> many.then(new QuantizedGlobalAveragePool(A, Y)))
        .hasMessageContaining("at most 8421504");
  }
}
