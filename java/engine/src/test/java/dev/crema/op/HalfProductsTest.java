package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.crema.device.Device;
import dev.crema.device.cuda.EmulatedCard;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Products and convolutions of 16-bit operands on a card (here one whose libraries are plain loops)
 * against float64. Operands are numbers that the type holds, sums are float32: what is left is one
 * rounding where a result is stored, of half a unit in the last place, 2^-8 of it in bfloat16 and
 * 2^-11 in float16, and a second where a bias or an activation has a launch of its own.
 */
class HalfProductsTest {
  private static double rounding(ElementType type) {
    return type == ElementType.BFLOAT16 ? 0x1p-8 : 0x1p-11;
  }

  private static double rounded(ElementType type, double x) {
    return type == ElementType.BFLOAT16
        ? HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16((float) x))
        : HalfPrecision.fromFloat16(HalfPrecision.toFloat16((float) x));
  }

  /**
   * @param wide inputs that stay float32
   * @param roundings that a result passes
   */
  private static void check(
      ElementType type,
      Function<Node[], Node> op,
      Function<Array64[], Array64> reference,
      int roundings,
      List<Integer> wide,
      Array64... given) {
    Array64[] in =
        Arrays.stream(given).map(a -> a.map(x -> rounded(type, x))).toArray(Array64[]::new);
    Array64 y = reference.apply(in);
    Array64 seed = Array64.gaussian(9, y.shape().dims()).map(x -> rounded(type, x));
    List<Array64> expected = new ArrayList<>(List.of(y));
    for (int i = 0; i < in.length; i++) {
      expected.add(gradient(in, i, reference, seed));
    }
    assumeTrue(EmulatedCard.missing() == null, String.valueOf(EmulatedCard.missing()));
    try (EmulatedCard card = new EmulatedCard()) {
      List<float[]> actual = run(card.device(), type, op, wide, in, seed);
      for (int i = 0; i < expected.size(); i++) {
        requireClose(
            (i == 0 ? "y" : "gradient of input " + (i - 1)) + " in " + type,
            actual.get(i),
            expected.get(i),
            (i == 0 ? roundings : 1) * rounding(type));
      }
    }
  }

  /** Differences of a function that is linear in each element near where it is: exact. */
  private static Array64 gradient(
      Array64[] in, int which, Function<Array64[], Array64> reference, Array64 seed) {
    Array64 g = Array64.zeros(in[which].shape().dims());
    double h = 0x1p-20;
    for (int i = 0; i < g.size(); i++) {
      double sum = 0;
      for (int sign = -1; sign <= 1; sign += 2) {
        Array64[] moved = in.clone();
        moved[which] = in[which].copy();
        moved[which].values()[i] += sign * h;
        Array64 y = reference.apply(moved);
        for (int k = 0; k < y.size(); k++) {
          sum += sign * y.values()[k] * seed.values()[k];
        }
      }
      g.values()[i] = sum / (2 * h);
    }
    return g;
  }

  private static List<float[]> run(
      Device device,
      ElementType type,
      Function<Node[], Node> op,
      List<Integer> wide,
      Array64[] in,
      Array64 seed) {
    Graph graph = new Graph();
    List<Node> inputs = new ArrayList<>();
    List<Node> cast = new ArrayList<>();
    for (int i = 0; i < in.length; i++) {
      Node x = graph.input("in" + i, TensorType.of(in[i].shape().dims()));
      inputs.add(x);
      cast.add(wide.contains(i) ? x : x.then(new Cast(type)));
    }
    Node y = op.apply(cast.toArray(new Node[0])).then(new Cast(ElementType.FLOAT32));
    Node dy = graph.input("seed", y.type());
    Map<Node, Node> flows = Autodiff.gradients(y, dy, inputs);
    List<Node> results = new ArrayList<>(List.of(y));
    inputs.forEach(x -> results.add(flows.get(x)));
    try (Plan plan = Plan.of(graph).outputs(results.toArray(new Node[0])).device(device).build()) {
      for (int i = 0; i < in.length; i++) {
        put(plan, "in" + i, in[i]);
      }
      put(plan, "seed", seed);
      plan.run(1);
      plan.run(1); // recorded
      List<float[]> found = new ArrayList<>();
      for (Node node : results) {
        FloatBuffer floats = plan.output(node).asFloatBuffer();
        float[] values = new float[floats.remaining()];
        floats.get(values);
        found.add(values);
      }
      return found;
    }
  }

  private static void put(Plan plan, String name, Array64 values) {
    FloatBuffer floats = plan.input(name).borrow(0, 4 * values.size()).asFloatBuffer();
    for (int i = 0; i < values.size(); i++) {
      floats.put(i, (float) values.values()[i]);
    }
    plan.input(name).changed();
  }

  private static void requireClose(String what, float[] actual, Array64 expected, double relative) {
    assertThat(actual).as(what).hasSize(expected.size());
    double scale = Arrays.stream(expected.values()).map(Math::abs).max().orElseThrow();
    assertThat(scale).as(what).isPositive();
    for (int i = 0; i < actual.length; i++) {
      // The sums themselves are float32's; what is computed of rounded sums is off by their scale.
      double tolerance = Math.max(relative, 1e-6) * scale;
      assertThat((double) actual[i])
          .as(what + ", element " + i)
          .isCloseTo(expected.values()[i], within(tolerance));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void denseLayersWithBiasAndRelu(ElementType type) {
    for (long[] s : new long[][] {{1, 1, 1}, {3, 7, 5}, {4, 8, 16}, {9, 33, 2}}) {
      Array64 x = Array64.gaussian(1, s[0], s[1]);
      Array64 w = Array64.gaussian(2, s[1], s[2]);
      Array64 b = Array64.gaussian(3, s[2]);
      check(
          type,
          in -> in[0].then(new Linear(FusedActivation.RELU), in[1], in[2]),
          in -> dense(in).map(v -> Math.max(v, 0)),
          1,
          List.of(),
          x,
          w,
          b);
    }
  }

  private static Array64 dense(Array64[] in) {
    return Arrays64.zip(Arrays64.matmul(in[0], in[1], false, false), in[2], Double::sum);
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void wideResultsAreNotRounded(ElementType type) {
    check(
        type,
        in -> in[0].then(new Linear().asWide(), in[1], in[2]),
        HalfProductsTest::dense,
        0,
        List.of(2),
        Array64.gaussian(1, 5, 9),
        Array64.gaussian(2, 9, 6),
        Array64.gaussian(3, 6));
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void productsOfAnyOrientationThatBroadcast(ElementType type) {
    for (int k = 0; k < 4; k++) {
      boolean ta = k % 2 == 1;
      boolean tb = k >= 2;
      check(
          type,
          in -> in[0].then(new MatMul(ta, tb), in[1]),
          in -> Arrays64.matmul(in[0], in[1], ta, tb),
          1,
          List.of(),
          ta ? Array64.gaussian(1, 2, 3, 5, 4) : Array64.gaussian(1, 2, 3, 4, 5),
          tb ? Array64.gaussian(2, 3, 6, 5) : Array64.gaussian(2, 3, 5, 6));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void convolutionsWithGroupsAndUnevenPadding(ElementType type) {
    Window2d uneven = new Window2d(2, 1, 1, 2, 1, 0, 0, 2);
    check(
        type,
        in -> in[0].then(new Conv2d(uneven, 2), in[1], in[2]),
        in -> Convolution64.forward(in, uneven, 2),
        2,
        List.of(),
        Array64.gaussian(1, 2, 5, 6, 4),
        Array64.gaussian(2, 3, 2, 2, 6),
        Array64.gaussian(3, 6));
  }

  @ParameterizedTest
  @EnumSource(names = {"BFLOAT16", "FLOAT16"})
  void convolutionsWithReluAndTransposedOnes(ElementType type) {
    Window2d same = Window2d.valid(1, 1).padded(1, 1, 1, 1);
    check(
        type,
        in -> in[0].then(new Conv2d(same, 1, FusedActivation.RELU), in[1], in[2]),
        in -> Convolution64.forward(in, same, 1).map(v -> Math.max(v, 0)),
        2,
        List.of(),
        Array64.gaussian(1, 1, 4, 5, 3),
        Array64.gaussian(2, 3, 3, 3, 7),
        Array64.gaussian(3, 7));
    Window2d stride = Window2d.valid(2, 2);
    check(
        type,
        in -> in[0].then(new ConvTranspose2d(stride), in[1]),
        in -> Convolution64.transposed(in, stride, 1, 7, 9),
        1,
        List.of(),
        Array64.gaussian(1, 1, 3, 4, 3),
        Array64.gaussian(2, 3, 3, 2, 3));
  }
}
