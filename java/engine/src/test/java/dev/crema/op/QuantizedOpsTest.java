package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bit for bit the arithmetic of ONNX opset 21, written out here, at every instruction set. */
class QuantizedOpsTest {
  private static final float[] HOSTILE = {
    0, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 3e38f, -3e38f, 1e-42f
  };

  /** QuantizeLinear: NumPy's clip(rint(x / scale) + zero point); NaN becomes the lowest number. */
  private static int quantize(float x, QuantizationParameters q, int low) {
    double whole = Math.rint(x / q.scale()) + q.zeroPoint();
    return Double.isNaN(whole) ? low : (int) Math.max(low, Math.min(low + 255, whole));
  }

  @ParameterizedTest
  @CsvSource({"UINT8, 0.5, 0", "UINT8, 0.1, 131", "INT8, 0.25, -128", "INT8, 3.7, 5"})
  void numbersBecomeBytesAndBytesNumbers(ElementType element, float scale, int zeroPoint) {
    QuantizationParameters q = new QuantizationParameters(scale, zeroPoint);
    int low = element == ElementType.INT8 ? -128 : 0;
    float[] x = new float[1037];
    Random random = new Random(1);
    for (int i = 0; i < x.length; i++) {
      // Halves of steps, to the bounds and beyond them; then anything.
      x[i] = i < 700 ? (i - 350) * 0.5f * scale : (float) random.nextGaussian() * 100;
    }
    System.arraycopy(HOSTILE, 0, x, 900, HOSTILE.length);
    Graph graph = new Graph();
    Node bytes = graph.input("x", TensorType.of(x.length)).then(new QuantizeLinear(q, element));
    Node back = bytes.then(new DequantizeLinear(q));
    EveryDevice.check(
        device -> {
          try (Plan plan = Plan.of(graph).outputs(bytes, back).device(device).build()) {
            plan.input("x").borrow(0, 4 * x.length).asFloatBuffer().put(x);
            plan.run(1);
            for (int i = 0; i < x.length; i++) {
              int expected = quantize(x[i], q, low);
              byte actual = plan.output(bytes).get(i);
              assertThat(low == 0 ? actual & 255 : actual)
                  .as("%s: %s", device, x[i])
                  .isEqualTo(expected);
              assertThat(plan.output(back).getFloat(4 * i))
                  .isEqualTo((expected - zeroPoint) * scale);
            }
          }
        });
  }

  /** QLinearMatMul with a scale for each column, of bytes; or what stands before it is rounded. */
  @ParameterizedTest
  @CsvSource({
    "1, 784, 33, true, true",
    "1, 3, 1, false, false",
    "7, 65, 17, true, false",
    "15, 128, 100, false, true",
    "40, 31, 16, true, true",
    "70, 80, 70, false, true",
    "32, 256, 2112, true, true", // strips of 32 columns fill a card
    "640, 48, 448, false, true", // small tiles do
    "640, 20, 448, true, true",
    "1040, 16, 1040, true, true" // and great ones
  })
  void aDenseLayerOfBytes(int rows, int in, int units, boolean relu, boolean toBytes) {
    Random random = new Random(rows + in);
    QuantizationParameters qx = new QuantizationParameters(0.02f, 77);
    QuantizationParameters qy = toBytes ? new QuantizationParameters(0.6f, 30) : null;
    byte[] x = new byte[rows * in];
    random.nextBytes(x);
    QuantizedWeights weights = QuantizedWeights.random(random, in, units);
    weights.w()[0] = 0; // given as NaN
    Graph graph = new Graph();
    Node bytes = graph.input("x", new TensorType(ElementType.UINT8, TensorType.batchOf(in).dims()));
    Node packed = weights.packed(graph, qx, qy, true, in, in, units);
    FusedActivation activation = relu ? FusedActivation.RELU : FusedActivation.NONE;
    Node y = bytes.then(new QuantizedLinear(units, activation, qy), packed);
    float[] expected = new float[rows * units];
    for (int i = 0; i < rows * units; i++) {
      int sum = 0;
      for (int p = 0; p < in; p++) {
        sum += ((x[i / units * in + p] & 255) - qx.zeroPoint()) * weights.at(p, i % units);
      }
      expected[i] = weights.number(sum, i % units, qx, qy, activation);
    }
    QuantizedWeights.check(
        graph, packed, y, rows, plan -> plan.input("x").borrow(0, x.length).put(x), expected);
  }

  @Test
  void rangesHoldZeroAndAreSpreadOverAllBytes() {
    assertThat(QuantizationParameters.ofRange(0, 255)).isEqualTo(new QuantizationParameters(1, 0));
    assertThat(QuantizationParameters.ofRange(-1, 1).zeroPoint()).isBetween(127, 128);
    assertThat(QuantizationParameters.ofRange(2, 510)).isEqualTo(new QuantizationParameters(2, 0));
    assertThat(QuantizationParameters.ofRange(-255, -3))
        .isEqualTo(new QuantizationParameters(1, 255));
    assertThat(QuantizationParameters.ofRange(0, 0)).isEqualTo(new QuantizationParameters(1, 0));
    assertThat(QuantizationParameters.ofRange(0, 1e-45).scale()).isEqualTo(Float.MIN_NORMAL);
  }

  @Test
  void whatHasNoMeaningIsRefused() {
    for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new QuantizationParameters(scale, 0))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("" + scale);
    }
    assertThatThrownBy(() -> QuantizationParameters.ofRange(Double.NaN, 1))
        .isInstanceOf(ShapeException.class);
    assertThatThrownBy(() -> QuantizationParameters.ofRange(1, 0))
        .isInstanceOf(ShapeException.class);
    QuantizationParameters q = new QuantizationParameters(1, 200);
    assertThatThrownBy(() -> new QuantizeLinear(q, ElementType.INT8))
        .hasMessageContaining("200 is no number of INT8");
    assertThatThrownBy(() -> new QuantizeLinear(q, ElementType.INT32))
        .hasMessageContaining("INT32");
    assertThatThrownBy(() -> new QuantizedLinear(3, FusedActivation.GELU, null))
        .hasMessageContaining("GELU");
    Graph graph = new Graph();
    Node floats = graph.input("x", TensorType.batchOf(8));
    Node packed = graph.input("w", PackQuantized.typeOf(8, 8, 3));
    assertThatThrownBy(
            () -> floats.then(new QuantizedLinear(3, FusedActivation.NONE, null), packed))
        .hasMessageContaining("UINT8");
    Node bytes = floats.then(new QuantizeLinear(q, ElementType.UINT8));
    assertThatThrownBy(
            () -> bytes.then(new QuantizedLinear(17, FusedActivation.NONE, null), packed))
        .hasMessageContaining("[5, 32]");
  }
}
