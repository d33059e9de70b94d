package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.op.Cast;
import dev.crema.op.LayerNorm;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layer normalisation by cuDNN's operations, where a card may choose them. */
class LayerNormWaysTest {
  private static final String EXECUTE = "cudnnBackendExecute";
  private static final double EPSILON = 1e-3;

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    takes("cuLaunchKernel layer_norm", 9);
    takes(EXECUTE, 1);
  }

  private void takes(String call, float milliseconds) {
    fake.fakeDriver().milliseconds.put(call, milliseconds);
  }

  /** Multiples of 1/8, which every type holds. */
  private static double value(int seed, int i) {
    return ((i * 37 + seed * 11) % 31 - 14) / 8.0;
  }

  private static float[] values(int seed, int count) {
    float[] all = new float[count];
    for (int i = 0; i < count; i++) {
      all[i] = (float) value(seed, i);
    }
    return all;
  }

  /** Its plan. */
  private record Layer(Plan plan, List<Node> outputs, int n) implements AutoCloseable {
    static Layer of(EmulatedCard card, ElementType type, int rows, int n, boolean scaled) {
      Graph graph = new Graph();
      Node x = graph.input("x", TensorType.batchOf(n)).then(new Cast(type));
      Node dy = graph.input("dy", TensorType.batchOf(n)).then(new Cast(type));
      Node gamma = graph.input("gamma", TensorType.of(n));
      Node beta = graph.input("beta", TensorType.of(n));
      graph.beginLayer("norm");
      LayerNorm norm = new LayerNorm(EPSILON);
      Node y = scaled ? x.then(norm, gamma, beta) : x.then(norm, null, null);
      graph.endLayer();
      List<Node> of = scaled ? List.of(x, gamma, beta) : List.of(x);
      Map<Node, Node> d = Autodiff.gradients(List.of(y), List.of(dy), of);
      List<Node> outputs =
          scaled
              ? List.of(float32(y), float32(d.get(x)), d.get(gamma), d.get(beta))
              : List.of(float32(y), float32(d.get(x)));
      Plan plan =
          Plan.of(graph)
              .outputs(outputs.toArray(Node[]::new))
              .capacity(rows)
              .device(card.device())
              .build();
      return new Layer(plan, outputs, n);
    }

    private static Node float32(Node x) {
      return x.then(new Cast(ElementType.FLOAT32));
    }

    float[] run(int output, int rows) {
      for (String input : plan.inputs()) {
        boolean isOfRows = input.equals("x") || input.equals("dy");
        CudaBench.write(
            plan.input(input), LayerNormWaysTest.values(input.length(), isOfRows ? rows * n : n));
      }
      plan.run(rows);
      float[] all = new float[output < 2 ? rows * n : n];
      plan.output(outputs.get(output)).asFloatBuffer().get(0, all);
      return all;
    }

    @Override
    public void close() {
      plan.close();
    }
  }

  /** y, dx, dgamma, dbeta; seeds are the lengths of the inputs' names. */
  private static double[][] reference(int rows, int n) {
    double[][] all = {new double[rows * n], new double[rows * n], new double[n], new double[n]};
    for (int r = 0; r < rows; r++) {
      double mean = 0;
      double variance = 0;
      for (int i = 0; i < n; i++) {
        mean += value(1, r * n + i) / n;
      }
      for (int i = 0; i < n; i++) {
        variance += Math.pow(value(1, r * n + i) - mean, 2) / n;
      }
      double inverse = 1 / Math.sqrt(variance + EPSILON);
      double sum = 0;
      double product = 0;
      for (int i = 0; i < n; i++) {
        double hat = (value(1, r * n + i) - mean) * inverse;
        double flow = value(2, r * n + i) * value(5, i);
        all[0][r * n + i] = hat * value(5, i) + value(4, i);
        all[2][i] += value(2, r * n + i) * hat;
        all[3][i] += value(2, r * n + i);
        sum += flow / n;
        product += flow * hat / n;
      }
      for (int i = 0; i < n; i++) {
        double hat = (value(1, r * n + i) - mean) * inverse;
        all[1][r * n + i] = (value(2, r * n + i) * value(5, i) - sum - hat * product) * inverse;
      }
    }
    return all;
  }

  private static void check(Layer layer, ElementType type, int rows) {
    double[][] expected = reference(rows, layer.n());
    for (int output = 0; output < expected.length; output++) {
      float[] actual = layer.run(output, rows);
      double most = DoubleStream.of(expected[output]).map(Math::abs).max().orElseThrow();
      boolean is16 = output < 2 && type != ElementType.FLOAT32; // rounded when it is stored
      double ulp = !is16 ? 1e-5 : type == ElementType.BFLOAT16 ? 1.0 / 256 : 1.0 / 2048;
      for (int i = 0; i < actual.length; i++) {
        assertThat((double) actual[i])
            .as("output %d, element %d", output, i)
            .isCloseTo(expected[output][i], within(ulp * most));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 5, 24", "BFLOAT16, 7, 40", "FLOAT16, 1, 17", "FLOAT32, 3, 1030"})
  void cudnnsOperationsAreLayerNormAndItsGradient(ElementType type, int rows, int n) {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Layer layer = Layer.of(card, type, rows, n, true)) {
      check(layer, type, rows); // tried, recorded, and from the graph
      assertThat(card.choices())
          .hasSize(2)
          .allSatisfy((form, k) -> assertThat(k).isEqualTo("cudnn"));
      assertThat(((CudaDevice) card.device()).choices().refused()).isEmpty();
      fake.clearLog();
      check(layer, type, rows);
      assertThat(fake.log("cuLaunchKernel layer_norm")).isEmpty();
      assertThat(layer.plan().ways())
          .containsExactlyInAnyOrder(
              "norm (LayerNorm): cudnn", "norm.gradient (LayerNormGrad): cudnn");
    }
  }

  @Test
  void withoutScaleAndShiftItIsOurs() {
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Layer layer = Layer.of(card, ElementType.FLOAT32, 3, 8, false)) {
      layer.run(0, 3);
      layer.run(1, 3);
      assertThat(card.choices()).isEmpty();
      assertThat(fake.log("cudnn")).isEmpty();
    }
  }

  @Test
  void whereNoEngineIsThereItIsOurs() {
    fake.refusesGraphs = true;
    try (EmulatedCard card = new EmulatedCard(fake, Measuring.ALL);
        Layer layer = Layer.of(card, ElementType.FLOAT16, 3, 8, true)) {
      check(layer, ElementType.FLOAT16, 3);
      assertThat(card.choices()).hasSize(2).allSatisfy((form, k) -> assertThat(k).isEqualTo("own"));
      assertThat(fake.log(EXECUTE)).isEmpty();
    }
  }
}
