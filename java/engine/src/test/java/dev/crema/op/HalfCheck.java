package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
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

/**
 * An op of 16-bit operands on cards, and on one whose libraries are plain loops, forward and
 * backward, against float64. Operands are numbers that the type holds.
 *
 * @param step of central differences; exact for what is linear in each element near where it is
 * @param gradientRoundings that a gradient passes
 */
record HalfCheck(ElementType type, double step, int gradientRoundings) {
  static HalfCheck of(ElementType type) {
    return new HalfCheck(type, 0x1p-20, 1);
  }

  private double rounding() {
    return type == ElementType.BFLOAT16 ? 0x1p-8 : 0x1p-11;
  }

  private double rounded(double x) {
    return type == ElementType.BFLOAT16
        ? HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16((float) x))
        : HalfPrecision.fromFloat16(HalfPrecision.toFloat16((float) x));
  }

  /**
   * @param wide inputs that stay float32
   * @param roundings that a result passes
   */
  void run(
      Function<Node[], Node> op,
      Function<Array64[], Array64> reference,
      int roundings,
      List<Integer> wide,
      Array64... given) {
    Array64[] in = Arrays.stream(given).map(a -> a.map(x -> rounded(x))).toArray(Array64[]::new);
    Array64 y = reference.apply(in);
    Array64 seed = Array64.gaussian(9, y.shape().dims()).map(x -> rounded(x));
    List<Array64> expected = new ArrayList<>(List.of(y));
    for (int i = 0; i < in.length; i++) {
      expected.add(gradient(in, i, reference, seed));
    }
    EveryDevice.cards(device -> compare(run(device, op, wide, in, seed), expected, roundings));
  }

  private void compare(List<float[]> actual, List<Array64> expected, int roundings) {
    for (int i = 0; i < expected.size(); i++) {
      requireClose(
          (i == 0 ? "y" : "gradient of input " + (i - 1)) + " in " + type,
          actual.get(i),
          expected.get(i),
          (i == 0 ? roundings : gradientRoundings) * rounding());
    }
  }

  /** Central differences. */
  private Array64 gradient(
      Array64[] in, int which, Function<Array64[], Array64> reference, Array64 seed) {
    Array64 g = Array64.zeros(in[which].shape().dims());
    for (int i = 0; i < g.size(); i++) {
      double sum = 0;
      for (int sign = -1; sign <= 1; sign += 2) {
        Array64[] moved = in.clone();
        moved[which] = in[which].copy();
        moved[which].values()[i] += sign * step;
        Array64 y = reference.apply(moved);
        for (int k = 0; k < y.size(); k++) {
          sum += sign * y.values()[k] * seed.values()[k];
        }
      }
      g.values()[i] = sum / (2 * step);
    }
    return g;
  }

  private List<float[]> run(
      Device device, Function<Node[], Node> op, List<Integer> wide, Array64[] in, Array64 seed) {
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
}
