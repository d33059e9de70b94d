package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.natives.Crema;
import dev.crema.plan.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers of E4M3 by the definition of the format, and dense layers of them against float64. */
class Fp8Test {
  private static double valueOf(int code) {
    int exponent = code >> 3 & 15;
    int fraction = code & 7;
    double size =
        exponent == 15 && fraction == 7
            ? Double.NaN
            : exponent == 0
                ? Math.scalb((double) fraction, -9)
                : Math.scalb(8.0 + fraction, exponent - 10);
    return (code & 0x80) == 0 ? size : -size;
  }

  /** By looking at all; of two as near, the even one. */
  private static byte nearest(double x) {
    if (Double.isNaN(x)) {
      return 0x7f;
    }
    double size = Math.min(Math.abs(x), 448);
    int best = 0;
    for (int code = 1; code < 0x7f; code++) {
      double now = Math.abs(valueOf(code) - size);
      double before = Math.abs(valueOf(best) - size);
      if (now < before || now == before && code % 2 == 0) {
        best = code;
      }
    }
    return (byte) (best | (x < 0 || 1 / x < 0 ? 0x80 : 0));
  }

  /** Every number, what lies half between two, and its neighbours. */
  private static float[] numbers() {
    List<Float> all = new ArrayList<>();
    for (int code = 0; code < 0x7f; code++) {
      float here = (float) valueOf(code);
      float half = code == 0x7e ? 464 : (here + (float) valueOf(code + 1)) / 2;
      for (float x : new float[] {here, half, Math.nextUp(half), Math.nextDown(half)}) {
        all.add(x);
        all.add(-x);
      }
    }
    for (float x : new float[] {Float.NaN, Float.POSITIVE_INFINITY, 1e-38f, 1e30f, 465, 480}) {
      all.add(x);
      all.add(-x);
    }
    float[] x = new float[all.size()];
    for (int i = 0; i < x.length; i++) {
      x[i] = all.get(i);
    }
    return x;
  }

  @Test
  void numbersBecomeTheNearestOnEveryDevice() {
    float[] x = numbers();
    for (float v : x) {
      assertThat(Fp8.of(v)).as("%s", v).isEqualTo(nearest(v));
    }
    for (int code = 0; code < 256; code++) {
      assertThat(Double.valueOf(Fp8.valueOf((byte) code))).isEqualTo(Double.valueOf(valueOf(code)));
    }
    for (float scale : new float[] {1, 0.3f}) {
      Graph graph = new Graph();
      Node y = graph.input("x", TensorType.batchOf(1)).then(new QuantizeFp8(scale));
      EveryDevice.check(
          device -> {
            try (Plan plan = Plan.of(graph).outputs(y).capacity(x.length).device(device).build()) {
              plan.input("x").borrow(0, 4 * x.length).asFloatBuffer().put(x);
              plan.run(x.length);
              for (int i = 0; i < x.length; i++) {
                assertThat(plan.output(y).get(i))
                    .as("%s: %s / %s", device, x[i], scale)
                    .isEqualTo(nearest(x[i] / scale));
              }
            }
          });
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 784, 33, RELU",
    "1, 1, 1, NONE",
    "7, 65, 17, NONE",
    "16, 128, 100, RELU",
    "256, 31, 16, NONE",
    "40, 1500, 70, RELU"
  })
  void aLayerIsTheProductOfWhatItsBytesStandFor(
      int rows, int in, int units, FusedActivation activation) {
    Random random = new Random(rows + in);
    float scale = 0.02f;
    byte[] codes = new byte[rows * in];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = Fp8.of((float) (120 * random.nextGaussian()));
    }
    float[] scales = new float[units];
    for (int j = 0; j < units; j++) {
      scales[j] = 0.001f + 0.01f * random.nextFloat();
    }
    float[] kernel = new float[in * units];
    double[] stands = new double[kernel.length];
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] = scales[i % units] * (float) (200 * random.nextGaussian());
      stands[i] = valueOf(nearest(kernel[i] / scales[i % units])) * scales[i % units];
    }
    float[] bias = new float[units];
    for (int j = 0; j < units; j++) {
      bias[j] = (float) random.nextGaussian();
    }
    Graph graph = new Graph();
    Node input = graph.input("x", TensorType.batchOf(ElementType.UINT8, in));
    TensorType type = PackFp8.typeOf(in, units);
    Node packed = graph.variable("packed", Storage.STATE, 0, type);
    Node k = graph.add(new Constant(kernel, TensorType.of(in, units)));
    Node s = graph.add(new Constant(scales, TensorType.of(units)));
    graph.apply(new PackFp8(), packed, k, s);
    Node b = graph.add(new Constant(bias, TensorType.of(units)));
    Node y = input.then(new Fp8Linear(units, activation, scale), packed, b);
    Node without = input.then(new Fp8Linear(units, FusedActivation.NONE, scale), packed, null);
    Crema.crema_poison(1);
    try {
      EveryDevice.check(
          device -> {
            try (Buffer memory = Buffer.allocate(4 * type.elements().constant());
                Plan plan =
                    Plan.of(graph)
                        .outputs(y, without)
                        .capacity(rows + 2)
                        .threads(2)
                        .storage(Storage.STATE, memory)
                        .passes(List.of())
                        .device(device)
                        .build()) {
              plan.input("x").borrow(0, codes.length).put(codes);
              plan.run(rows);
              for (int i = 0; i < rows * units; i++) {
                double sum = 0;
                double all = 0;
                for (int p = 0; p < in; p++) {
                  double x = valueOf(codes[i / units * in + p]) * scale;
                  sum += x * stands[p * units + i % units];
                  all += Math.abs(x * stands[p * units + i % units]);
                }
                double error = sumsShort(device) ? all * 0x1p-11 : (in + 6) * all * 0x1p-23;
                float c = bias[i % units];
                double expected =
                    activation == FusedActivation.RELU ? Math.max(0, sum + c) : sum + c;
                assertThat((double) plan.output(y).getFloat(4 * i))
                    .as("%s: %d", device, i)
                    .isCloseTo(expected, within(error + Math.abs(c) * 0x1p-23));
                assertThat((double) plan.output(without).getFloat(4 * i))
                    .as("%s: %d", device, i)
                    .isCloseTo(sum, within(error));
              }
            }
          });
    } finally {
      Crema.crema_poison(0);
    }
  }

  /**
   * Real cards: sums of fp8 keep about 14 bits, by measurements of Hopper's that were published.
   */
  private static boolean sumsShort(Device device) {
    return !(device instanceof CpuDevice)
        && Device.cudaCards().usable().stream()
            .anyMatch(c -> c.description().equals(device.description()));
  }

  @Test
  void whatHasNoMeaningIsRefused() {
    for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new QuantizeFp8(scale))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("" + scale);
      assertThatThrownBy(() -> new Fp8Linear(3, FusedActivation.NONE, scale))
          .hasMessageContaining("" + scale);
    }
    assertThatThrownBy(() -> new Fp8Linear(3, FusedActivation.GELU, 1))
        .hasMessageContaining("NONE or RELU");
    assertThatThrownBy(() -> PackFp8.typeOf(0, 3)).hasMessageContaining("one input");
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(70));
    Node packed = graph.input("w", PackFp8.typeOf(70, 3));
    assertThat(packed.type()).isEqualTo(TensorType.of(18 + 1, 16));
    assertThatThrownBy(() -> x.then(new Fp8Linear(3, FusedActivation.NONE, 1), packed, null))
        .hasMessageContaining("input");
    Node bytes = x.then(new QuantizeFp8(1));
    assertThatThrownBy(() -> bytes.then(new Fp8Linear(17, FusedActivation.NONE, 1), packed, null))
        .hasMessageContaining("packed must be [19, 32]");
    assertThatThrownBy(() -> bytes.then(new Fp8Linear(3, FusedActivation.NONE, 1), packed, x))
        .hasMessageContaining("bias must be [3]");
    Node kernel = graph.input("k", TensorType.of(70, 3));
    Node scales = graph.input("s", TensorType.of(2, 3));
    assertThatThrownBy(() -> graph.apply(new PackFp8(), packed, kernel, scales))
        .hasMessageContaining("scales must be [3]");
  }
}
