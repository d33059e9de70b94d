package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bit for bit the arithmetic of ONNX, written out here, at every instruction set. */
class DynamicQuantizeLinearTest {
  /** A row's bytes, scale and zero point. */
  private record Row(int[] bytes, float scale, int zeroPoint) {
    static Row of(float... x) {
      float low = 0;
      float high = 0;
      boolean nan = false;
      for (float v : x) {
        low = Math.min(low, v);
        high = Math.max(high, v);
        nan |= Float.isNaN(v);
      }
      int[] bytes = new int[x.length];
      float scale = (high - low) / 255;
      if (nan || Float.isInfinite(scale)) {
        return new Row(bytes, nan ? Float.NaN : scale, 0);
      }
      if (scale < Float.MIN_NORMAL) {
        return new Row(bytes, 1, 0);
      }
      int zeroPoint = (int) Math.max(0, Math.min(255, Math.rint(-low / scale)));
      for (int i = 0; i < x.length; i++) {
        bytes[i] = (int) Math.max(0, Math.min(255, Math.rint(x[i] / scale) + zeroPoint));
      }
      return new Row(bytes, scale, zeroPoint);
    }
  }

  private static final float[][] ROWS = {
    {-1, 0, 2.5f, 0.3f, -0.7f},
    {3, 1, 2, 5, 4}, // the range begins at 0
    {-3, -1, -2, -5, -4}, // and ends there
    {7, 7, 7, 7, 7},
    {0, -0f, 0, 0, 0},
    {255, 0.5f, 1.5f, 2.5f, 253.5f}, // ties of a scale of 1
    {-0.5f, 254.5f, 0.25f, 100.5f, 3}, // the zero point is a tie
    {1, Float.NaN, 2, 3, 4},
    {1, Float.POSITIVE_INFINITY, 2, 3, 4},
    {1, Float.NEGATIVE_INFINITY, 2, 3, 4},
    {3e38f, -3e38f, 1, 2, 3},
    {3e38f, 1, 1, 2, 3},
    {1e-37f, 0, 0, 0, 0}, // the scale would not be normal
    {1e-35f, 0, -2e-36f, 0, 0}
  };

  @Test
  void eachRowIsAsOnnxHasATensor() {
    Graph graph = new Graph();
    Application y =
        graph.apply(new DynamicQuantizeLinear(), graph.input("x", TensorType.batchOf(5)));
    EveryDevice.check(
        device -> {
          try (Plan plan =
              Plan.of(graph)
                  .outputs(y.output(0), y.output(1), y.output(2))
                  .capacity(ROWS.length)
                  .device(device)
                  .build()) {
            for (int r = 0; r < ROWS.length; r++) {
              plan.input("x").borrow(20L * r, 20).asFloatBuffer().put(ROWS[r]);
            }
            plan.run(ROWS.length);
            for (int r = 0; r < ROWS.length; r++) {
              Row expected = Row.of(ROWS[r]);
              for (int i = 0; i < 5; i++) {
                assertThat(plan.output(y.output(0)).get(5 * r + i) & 255)
                    .as("%s: row %d", device, r)
                    .isEqualTo(expected.bytes()[i]);
              }
              assertThat(Float.valueOf(plan.output(y.output(1)).getFloat(4 * r)))
                  .isEqualTo(Float.valueOf(expected.scale()));
              assertThat(plan.output(y.output(2)).get(r) & 255).isEqualTo(expected.zeroPoint());
            }
          }
        });
  }

  /** What ONNX's own tests expect (test_dynamicquantizelinear and its variants). */
  @Test
  void theExamplesOfOnnxGiveItsNumbers() {
    Row a = Row.of(0, 2, -3, -2.5f, 1.34f, 0.5f);
    assertThat(a.scale()).isEqualTo(0.0196078438f);
    assertThat(a.zeroPoint()).isEqualTo(153);
    Row b = Row.of(-1, -2.1f, -1.3f, -2.5f, -3.34f, -4);
    assertThat(b.scale()).isEqualTo(0.0156862754f);
    assertThat(b.zeroPoint()).isEqualTo(255);
    Row c = Row.of(1, 2.1f, 1.3f, 2.5f, 3.34f, 4, 1.5f, 2.6f, 3.9f, 4, 3, 2.345f);
    assertThat(c.scale()).isEqualTo(0.0156862754f);
    assertThat(c.zeroPoint()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 784, 33, true, true",
    "1, 3, 1, false, false",
    "7, 65, 17, true, false",
    "15, 128, 100, false, true",
    "40, 31, 16, true, true",
    "70, 80, 70, false, true",
    "32, 64, 2112, true, true",
    "640, 48, 448, false, true",
    "1040, 16, 1040, true, false"
  })
  void aDenseLayerOfSuchRows(int rows, int in, int units, boolean relu, boolean biased) {
    Random random = new Random(rows + in);
    float[] x = new float[rows * in];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian() * (1 + i / in % 4);
    }
    QuantizedWeights weights = QuantizedWeights.random(random, in, units);
    Graph graph = new Graph();
    Application q =
        graph.apply(new DynamicQuantizeLinear(), graph.input("x", TensorType.batchOf(in)));
    Node packed = weights.packed(graph, null, null, false, in, in, units);
    Node b = biased ? graph.add(new Constant(weights.bias(), TensorType.of(units))) : null;
    FusedActivation activation = relu ? FusedActivation.RELU : FusedActivation.NONE;
    DynamicQuantizedLinear op = new DynamicQuantizedLinear(units, activation);
    Node y = graph.apply(op, q.output(0), q.output(1), q.output(2), packed, b).output(0);
    float[] expected = new float[rows * units];
    for (int r = 0; r < rows; r++) {
      Row row = Row.of(Arrays.copyOfRange(x, r * in, (r + 1) * in));
      for (int j = 0; j < units; j++) {
        int sum = 0;
        for (int p = 0; p < in; p++) {
          sum += (row.bytes()[p] - row.zeroPoint()) * weights.at(p, j);
        }
        float scale = row.scale() * weights.scales()[j];
        float v = Math.fma((float) sum, scale, biased ? weights.bias()[j] : 0);
        expected[r * units + j] = relu && v < 0 ? 0 : v;
      }
    }
    QuantizedWeights.check(
        graph,
        packed,
        y,
        rows,
        plan -> plan.input("x").borrow(0, 4 * x.length).asFloatBuffer().put(x),
        expected);
  }

  @Test
  void typesThatDoNotFitAreRefused() {
    Graph graph = new Graph();
    Node floats = graph.input("x", TensorType.batchOf(8));
    Node scalar = graph.input("s", TensorType.of());
    assertThatThrownBy(() -> scalar.then(new DynamicQuantizeLinear()))
        .hasMessageContaining("expects rows");
    Application q = graph.apply(new DynamicQuantizeLinear(), floats);
    assertThat(q.output(0).type().element()).isEqualTo(ElementType.UINT8);
    Node packed = graph.input("w", PackQuantized.typeOf(8, 8, 3));
    DynamicQuantizedLinear op = new DynamicQuantizedLinear(3, FusedActivation.RELU);
    assertThatThrownBy(() -> graph.apply(op, q.output(0), q.output(2), q.output(2), packed, null))
        .hasMessageContaining("scales must be [n, 1]");
    assertThatThrownBy(() -> graph.apply(op, q.output(0), q.output(1), q.output(1), packed, null))
        .hasMessageContaining("zero points must be [n, 1] uint8");
    assertThatThrownBy(() -> graph.apply(op, q.output(0), q.output(1), q.output(2), packed, floats))
        .hasMessageContaining("bias must be [3]");
    assertThatThrownBy(() -> new DynamicQuantizedLinear(3, FusedActivation.GELU))
        .hasMessageContaining("GELU");
  }
}
