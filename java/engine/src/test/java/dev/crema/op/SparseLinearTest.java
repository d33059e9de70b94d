package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.pass.NonZeros;
import dev.crema.pass.Passes;
import dev.crema.pass.Sparsify;
import dev.crema.plan.Plan;
import dev.crema.plan.Prepared;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dense layers and convolutions of pixels without their zeros, as plans compute them. */
class SparseLinearTest {
  /** A layer of random weights, in a graph of its own: x, kernel, bias. */
  private record Layer(int rows, int in, int units, boolean image, FusedActivation activation) {
    TensorType x() {
      return image ? TensorType.batchOf(2, 3, in) : TensorType.batchOf(in);
    }

    TensorType kernel() {
      return image ? TensorType.of(1, 1, in, units) : TensorType.of(in, units);
    }

    int vectors() {
      return image ? 6 * rows : rows;
    }

    Node build(Graph graph) {
      Node x = graph.input("x", x());
      Node kernel = graph.variable("kernel", Storage.PARAMETERS, 0, kernel());
      long offset = (long) (in * units + 15) / 16 * 16;
      Node bias = graph.variable("bias", Storage.PARAMETERS, offset, TensorType.of(units));
      ActivatedOp op = image ? new Conv2d(Window2d.valid(1, 1), 1) : new Linear();
      return graph.apply(op.withActivation(activation), x, kernel, bias).output(0);
    }

    Buffer parameters(float[] kernel, float[] bias) {
      Buffer memory = Buffer.allocate(4L * ((in * units + 15) / 16 * 16 + units));
      memory.borrow(0, 4 * kernel.length).asFloatBuffer().put(kernel);
      memory.borrow(memory.byteSize() - 4L * units, 4 * units).asFloatBuffer().put(bias);
      return memory;
    }

    /** Absent weights add nothing. */
    double[] expected(float[] x, float[] kernel, float[] bias) {
      double[] y = new double[vectors() * units];
      for (int i = 0; i < y.length; i++) {
        int j = i % units;
        y[i] = bias[j];
        for (int p = 0; p < in; p++) {
          float w = kernel[p * units + j];
          y[i] += w == 0 ? 0 : (double) w * x[i / units * in + p];
        }
        y[i] = activation == FusedActivation.RELU && y[i] < 0 ? 0 : y[i];
      }
      return y;
    }
  }

  private static float[] random(long seed, int count, double density) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      float value = (float) random.nextDouble(-1, 1);
      values[i] = random.nextDouble() < density ? value : i % 2 == 0 ? 0f : -0f;
    }
    return values;
  }

  private static Plan plan(
      Node y, Buffer parameters, long nonZeros, int rows, CpuDevice device, int threads) {
    Sparsify all =
        new Sparsify(
            Map.of("kernel", new NonZeros(nonZeros, nonZeros)), rows, (product, count) -> true);
    return Plan.of(y.graph())
        .outputs(y)
        .storage(Storage.PARAMETERS, parameters)
        .passes(Passes.sparse(Passes.standard(), all))
        .prepared(new Prepared())
        .capacity(rows)
        .threads(threads)
        .device(device)
        .build();
  }

  private static float[] run(Plan plan, Node y, float[] x, int rows) {
    plan.input("x").borrow(0, 4 * x.length).asFloatBuffer().put(x);
    plan.run(rows);
    float[] result = new float[plan.output(y).asFloatBuffer().remaining()];
    plan.output(y).asFloatBuffer().get(result);
    return result;
  }

  private static boolean isSparse(Plan plan) {
    return plan.instructions().stream().anyMatch(i -> i.kernel().equals("sparse_linear"));
  }

  @ParameterizedTest
  @CsvSource({
    "1, 64, 48, false, NONE",
    "1, 17, 1, false, RELU",
    "1, 333, 65, false, RELU",
    "2, 1, 5, false, NONE",
    "8, 100, 33, false, RELU",
    "13, 47, 16, false, NONE",
    "33, 129, 70, false, RELU",
    "100, 20, 31, false, NONE",
    "1, 12, 20, true, RELU",
    "7, 40, 9, true, NONE"
  })
  void aLayerIsWhatItsNonZeroWeightsGive(
      int rows, int in, int units, boolean image, FusedActivation activation) {
    Layer layer = new Layer(rows, in, units, image, activation);
    float[] kernel = random(1, in * units, 0.1);
    float[] bias = random(2, units, 1);
    float[] x = random(3, layer.vectors() * in, 1);
    double[] expected = layer.expected(x, kernel, bias);
    Node y = layer.build(new Graph());
    for (CpuDevice device : CpuDevice.levels()) {
      float[] one = null;
      for (int threads = 1; threads <= 2; threads++) {
        try (Buffer parameters = layer.parameters(kernel, bias);
            Plan plan = plan(y, parameters, in * units / 8 + 8, rows, device, threads)) {
          assertThat(isSparse(plan)).isTrue();
          float[] actual = run(plan, y, x, rows);
          for (int i = 0; i < expected.length; i++) {
            // About in / 10 terms below 1, each rounded once to 2^-24.
            assertThat((double) actual[i]).as("%s", device).isCloseTo(expected[i], within(1e-5));
          }
          one = one == null ? actual : one;
          assertThat(actual).as("%s", device).isEqualTo(one);
        }
      }
    }
  }

  @Test
  void whatIsNotFiniteMeetsNoAbsentWeight() {
    for (int rows : new int[] {1, 3, 20}) {
      Layer layer = new Layer(rows, 50, 21, false, FusedActivation.NONE);
      float[] kernel = random(4, 50 * 21, 0.2);
      float[] bias = random(5, 21, 1);
      float[] x = random(6, rows * 50, 1);
      x[7] = Float.POSITIVE_INFINITY;
      x[x.length - 1] = Float.NaN;
      double[] expected = layer.expected(x, kernel, bias);
      assertThat(Arrays.stream(expected).filter(Double::isFinite).count())
          .isBetween(1L, expected.length - 1L);
      Node y = layer.build(new Graph());
      for (CpuDevice device : CpuDevice.levels()) {
        try (Buffer parameters = layer.parameters(kernel, bias);
            Plan plan = plan(y, parameters, 300, rows, device, 1)) {
          float[] actual = run(plan, y, x, rows);
          for (int i = 0; i < expected.length; i++) {
            if (Double.isFinite(expected[i])) {
              assertThat((double) actual[i]).isCloseTo(expected[i], within(1e-5));
            } else {
              assertThat(Double.valueOf(actual[i]))
                  .as("%s: %d", device, i)
                  .isEqualTo(Double.valueOf(expected[i]));
            }
          }
        }
      }
    }
  }

  @Test
  void weightsThatChangeArePackedAnewAlsoWhenThereIsNoRoomForThem() {
    for (int rows : new int[] {1, 9}) {
      Layer layer = new Layer(rows, 200, 40, false, FusedActivation.RELU);
      float[] bias = random(8, 40, 1);
      float[] x = random(9, rows * 200, 1);
      Node y = layer.build(new Graph());
      for (CpuDevice device : CpuDevice.levels()) {
        try (Buffer parameters = layer.parameters(random(10, 8000, 0.1), bias);
            Plan plan = plan(y, parameters, 900, rows, device, 2)) {
          for (double density : new double[] {0.1, 0, 0.05, 1, 0.1}) {
            float[] kernel = random((long) (100 * density), 8000, density);
            parameters.borrow(0, 4 * kernel.length).asFloatBuffer().put(kernel);
            parameters.changed();
            float[] actual = run(plan, y, x, rows);
            double[] expected = layer.expected(x, kernel, bias);
            for (int i = 0; i < expected.length; i++) {
              assertThat((double) actual[i]).isCloseTo(expected[i], within(3e-5));
            }
          }
        }
      }
    }
  }

  @Test
  void typesThatDoNotFitAreRefused() {
    TensorType kernel = TensorType.of(8, 4);
    TensorType packed = new PackSparse(8).typeOf(kernel, 10);
    assertThat(
            new SparseLinear(FusedActivation.NONE)
                .infer(List.of(TensorType.batchOf(8), packed, kernel)))
        .containsExactly(TensorType.batchOf(4));
    refuse(List.of(TensorType.batchOf(7), packed, kernel), "expects [n, ..., 8]");
    refuse(List.of(TensorType.batchOf(8), TensorType.of(3), kernel), "48 words");
    refuse(List.of(TensorType.batchOf(8), packed, TensorType.of(2, 1, 8, 4)), "[1, 1, in, units]");
    refuse(List.of(TensorType.batchOf(8), packed, kernel, TensorType.of(5)), "bias of [4]");
  }

  private static void refuse(List<TensorType> in, String message) {
    assertThatThrownBy(() -> new SparseLinear(FusedActivation.NONE).infer(in))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining(message);
  }
}
