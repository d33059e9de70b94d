package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Dense layers with weights of few bits against float64, as plans compute them. */
class WeightOnlyLinearTest {
  @ParameterizedTest
  @CsvSource({
    "1, 784, 33, 8, 0, RELU",
    "1, 3, 1, 4, 32, NONE",
    "7, 65, 17, 4, 32, SIGMOID",
    "15, 128, 100, 4, 64, NONE",
    "15, 300, 100, 8, 128, RELU",
    "40, 31, 16, 8, 0, GELU",
    "9, 1500, 700, 4, 128, NONE"
  })
  void isTheProductOfWhatTheWeightsStandFor(
      int rows, int in, int units, int bits, int group, FusedActivation activation) {
    Random random = new Random(rows + in);
    float[] x = new float[rows * in];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    int groups = (int) PackWeightOnly.groups(in, group);
    int size = group == 0 ? in : group;
    float[] scales = new float[groups * units];
    for (int i = 0; i < scales.length; i++) {
      scales[i] = 0.002f + random.nextFloat() * 0.01f;
    }
    int most = bits == 8 ? 127 : 7;
    float[] kernel = new float[in * units];
    double[] stands = new double[kernel.length];
    for (int i = 0; i < kernel.length; i++) {
      float scale = scales[i / units / size * units + i % units];
      int q = random.nextInt(2 * most + 1) - most;
      kernel[i] = (q + 0.4f * random.nextFloat()) * scale;
      stands[i] = (double) q * scale;
    }
    kernel[0] = Float.NaN; // becomes 0
    stands[0] = 0;
    float[] bias = new float[units];
    for (int j = 0; j < units; j++) {
      bias[j] = (float) random.nextGaussian();
    }
    Graph graph = new Graph();
    Node input = graph.input("x", TensorType.batchOf(in));
    TensorType type = PackWeightOnly.typeOf(in, units, bits, group);
    Node packed = graph.variable("packed", Storage.STATE, 0, type);
    Node k = graph.add(new Constant(kernel, TensorType.of(in, units)));
    Node s = graph.add(new Constant(scales, TensorType.of(groups, units)));
    graph.apply(new PackWeightOnly(bits, group), packed, k, s);
    Node b = graph.add(new Constant(bias, TensorType.of(units)));
    Node sums =
        input.then(new WeightOnlyLinear(units, FusedActivation.NONE, bits, group), packed, b);
    Node y = input.then(new WeightOnlyLinear(units, activation, bits, group), packed, b);
    Node expectedOfSums =
        activation == FusedActivation.NONE ? sums : graph.add(activation.op(), sums);
    EveryDevice.check(
        device -> {
          for (int threads = 1; threads <= 2; threads++) {
            try (Buffer memory = Buffer.allocate(4 * type.elements().constant());
                Plan plan =
                    Plan.of(graph)
                        .outputs(sums, y, expectedOfSums)
                        .capacity(rows)
                        .threads(threads)
                        .storage(Storage.STATE, memory)
                        .passes(List.of())
                        .device(device)
                        .build()) {
              plan.input("x").borrow(0, 4 * x.length).asFloatBuffer().put(x);
              plan.run(rows);
              for (int i = 0; i < rows * units; i++) {
                double sum = bias[i % units];
                double all = Math.abs(sum);
                for (int p = 0; p < in; p++) {
                  double product = stands[p * units + i % units] * x[i / units * in + p];
                  sum += product;
                  all += Math.abs(product);
                }
                assertThat((double) plan.output(sums).getFloat(4 * i))
                    .as("%s: %d", device, i)
                    .isCloseTo(sum, within((in + 4) * all * 0x1p-23));
                assertThat(plan.output(y).getFloat(4 * i))
                    .isCloseTo(plan.output(expectedOfSums).getFloat(4 * i), within(1e-6f));
              }
            }
          }
        });
  }

  @Test
  void whatHasNoMeaningIsRefused() {
    for (int bits : new int[] {0, 2, 3, 16, -4}) {
      assertThatThrownBy(() -> new PackWeightOnly(bits, 0))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("" + bits);
    }
    for (int group : new int[] {-8, 1, 12, Integer.MAX_VALUE}) {
      assertThatThrownBy(() -> new WeightOnlyLinear(3, FusedActivation.NONE, 4, group))
          .isInstanceOf(ShapeException.class)
          .hasMessageContaining("" + group);
    }
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.batchOf(70));
    Node packed = graph.input("w", PackWeightOnly.typeOf(70, 3, 4, 32));
    assertThat(packed.type()).isEqualTo(TensorType.of(9 + 3, 16));
    assertThatThrownBy(
            () -> x.then(new WeightOnlyLinear(3, FusedActivation.NONE, 8, 32), packed, null))
        .hasMessageContaining("packed must be [21, 16]");
    assertThatThrownBy(
            () -> x.then(new WeightOnlyLinear(3, FusedActivation.NONE, 4, 32), packed, x))
        .hasMessageContaining("bias must be [3]");
    Node kernel = graph.input("k", TensorType.of(70, 3));
    Node scales = graph.input("s", TensorType.of(2, 3));
    assertThatThrownBy(() -> graph.apply(new PackWeightOnly(4, 32), packed, kernel, scales))
        .hasMessageContaining("scales must be [3, 3]");
  }
}
