package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.op.Fp8;
import dev.crema.op.Fp8Linear;
import dev.crema.op.FusedActivation;
import dev.crema.op.PackFp8;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Dense layers of fp8 by cuBLASLt, where a card has more of it than mma.sync does. */
class Fp8ProductsTest {
  private static final float SCALE = 0.02f;
  private static final int IN = 1280;
  private static final int UNITS = 32;
  private static final int ROWS = 5;

  private final FakeCard fake = new FakeCard();

  @BeforeEach
  void needsTheEmulation() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    fake.fakeDriver().multiprocessors = 2; // a tile is enough to keep it busy
  }

  @ParameterizedTest
  @ValueSource(ints = {90, 100, 103, 110})
  void cuBlasLtMultipliesRowsOfBytesAndAPassScalesItsSums(int capability) {
    fake.fakeDriver().capability = capability;
    try (EmulatedCard card = new EmulatedCard(fake);
        Layer layer = new Layer(IN, UNITS, FusedActivation.RELU, true);
        Plan plan = layer.plan(card)) {
      layer.check(plan);
      assertThat(fake.log("cublasLtMatrixLayoutCreate", "cublasLtMatmulDescCreate"))
          .containsExactly(
              "cublasLtMatmulDescCreate 68", // COMPUTE_32F
              "cublasLtMatrixLayoutCreate E4M3 [1280, 32] of 1280", // transposed
              "cublasLtMatrixLayoutCreate E4M3 [1280, 5] of 1280",
              "cublasLtMatrixLayoutCreate FLOAT [32, 5] of 32");
      assertThat(fake.log("cuLaunchKernel fp8_scale")).hasSize(2); // one by one, and recorded
      assertThat(fake.log("cublasLtMatmul")).filteredOn("cublasLtMatmul"::equals).hasSize(2);
      assertThat(fake.log("cuLaunchKernel fp8_linear")).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"NONE, true", "NONE, false", "RELU, false"})
  void thePassAddsABiasAndAppliesReluWhereTheLayerHasThem(
      FusedActivation activation, boolean biased) {
    try (EmulatedCard card = new EmulatedCard(fake);
        Layer layer = new Layer(IN, UNITS, activation, biased);
        Plan plan = layer.plan(card)) {
      layer.check(plan);
      assertThat(fake.log("cuLaunchKernel fp8_scale")).isNotEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "80, 1280, 32, 2", // no fp8
    "89, 1280, 32, 2", // mma.sync has it
    "120, 1280, 32, 2",
    "90, 1264, 32, 2", // too few inputs to pay for the pass
    "90, 1288, 32, 2", // extents that are no multiples of 16
    "90, 1280, 24, 2",
    "90, 1280, 32, 132" // too few outputs for tiles: weights are what is read
  })
  void elsewhereNobodyAsksForIt(int capability, int in, int units, int multiprocessors) {
    fake.fakeDriver().capability = capability;
    fake.fakeDriver().multiprocessors = multiprocessors;
    try (EmulatedCard card = new EmulatedCard(fake);
        Layer layer = new Layer(in, units, FusedActivation.RELU, true);
        Plan plan = layer.plan(card)) {
      layer.check(plan);
      assertThat(fake.log("cuLaunchKernel fp8_linear")).isNotEmpty();
      assertThat(fake.log("cublasLt")).isEmpty();
    }
  }

  /** The heuristic says so in one of two ways. */
  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void withoutAnAlgorithmCremasOwnTilesServe(int algorithms) {
    fake.fp8Products = algorithms;
    try (EmulatedCard card = new EmulatedCard(fake);
        Layer layer = new Layer(IN, UNITS, FusedActivation.RELU, true);
        Plan plan = layer.plan(card)) {
      layer.check(plan);
      assertThat(fake.log("cublasLtMatmulAlgoGetHeuristic")).as("asked once").hasSize(1);
      assertThat(fake.log("cuLaunchKernel fp8_linear_tiles_128")).hasSize(2);
      assertThat(fake.log("cublasLtMatmul")).doesNotContain("cublasLtMatmul");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cublasLtMatmulAlgoGetHeuristic", "cublasLtMatmul", "cuLaunchKernel"})
  void anErrorNamesTheCallAndTheLayer(String call) {
    try (EmulatedCard card = new EmulatedCard(fake);
        Layer layer = new Layer(IN, UNITS, FusedActivation.NONE, false);
        Plan plan = layer.plan(card)) {
      layer.check(plan);
      fake.clearLog();
      plan.run(2); // another form
      long k = fake.log.indexOf(first(call)) + 1;
      assertThat(k).isPositive();
      fake.failAt(k, 7); // the next form makes the same calls
      assertThatThrownBy(() -> plan.run(3))
          .isInstanceOf(CudaException.class)
          .hasMessageStartingWith("head (Fp8Linear): " + call);
    }
  }

  private String first(String start) {
    return fake.log.stream()
        .filter(c -> c.equals(start) || c.startsWith(start + " fp8"))
        .findFirst()
        .orElse("");
  }

  /** A layer with inputs, and what comes of them in float64. */
  private static final class Layer implements AutoCloseable {
    private final int in;
    private final int units;
    private final byte[] codes;
    private final float[] kernel;
    private final float[] scales;
    private final float[] bias; // null: none
    private final FusedActivation activation;
    private final Buffer memory; // of what is packed
    private Node y;

    Layer(int in, int units, FusedActivation activation, boolean biased) {
      Random random = new Random(in);
      this.in = in;
      this.units = units;
      this.activation = activation;
      this.codes = new byte[ROWS * in];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = Fp8.of((float) (120 * random.nextGaussian()));
      }
      this.scales = new float[units];
      this.bias = biased ? new float[units] : null;
      for (int j = 0; j < units; j++) {
        scales[j] = 0.001f + 0.01f * random.nextFloat();
        if (biased) {
          bias[j] = 100 * (float) random.nextGaussian();
        }
      }
      this.memory = Buffer.allocate(4 * PackFp8.typeOf(in, units).elements().constant());
      this.kernel = new float[in * units];
      for (int i = 0; i < kernel.length; i++) {
        kernel[i] = scales[i % units] * (float) (200 * random.nextGaussian());
      }
    }

    Plan plan(EmulatedCard card) {
      Graph graph = new Graph();
      Node x = graph.input("x", TensorType.batchOf(ElementType.UINT8, in));
      TensorType type = PackFp8.typeOf(in, units);
      Node packed = graph.variable("packed", Storage.STATE, 0, type);
      Node k = graph.add(new Constant(kernel, TensorType.of(in, units)));
      Node s = graph.add(new Constant(scales, TensorType.of(units)));
      graph.apply(new PackFp8(), packed, k, s);
      Node b = bias == null ? null : graph.add(new Constant(bias, TensorType.of(units)));
      graph.beginLayer("head");
      y = x.then(new Fp8Linear(units, activation, SCALE), packed, b);
      graph.endLayer();
      return Plan.of(graph)
          .outputs(y)
          .capacity(ROWS)
          .storage(Storage.STATE, memory)
          .passes(List.of())
          .device(card.device())
          .build();
    }

    /** Three runs: one by one, recorded, and from the graph. */
    void check(Plan plan) {
      for (int run = 0; run < 3; run++) {
        plan.input("x").borrow(0, codes.length).put(codes);
        plan.input("x").changed();
        plan.run(ROWS);
        IntStream.range(0, ROWS * units).forEach(i -> check(plan.output(y).getFloat(4 * i), i));
      }
    }

    @Override
    public void close() {
      memory.close();
    }

    private void check(float result, int i) {
      int j = i % units;
      double sum = bias == null ? 0 : bias[j];
      double all = Math.abs(sum);
      for (int p = 0; p < in; p++) {
        double weight = Fp8.valueOf(Fp8.of(kernel[p * units + j] / scales[j])) * (double) scales[j];
        double product = Fp8.valueOf(codes[i / units * in + p]) * (double) SCALE * weight;
        sum += product;
        all += Math.abs(product);
      }
      double expected = activation == FusedActivation.RELU ? Math.max(0, sum) : sum;
      assertThat((double) result).isCloseTo(expected, within((in + 6) * all * 0x1p-23));
    }
  }
}
