package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.HalfPrecision;
import dev.crema.plan.Plan;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The cross-entropy of 16-bit logits against float64. Logits are numbers that the type holds;
 * losses are float32, and so is float16's gradient: only bfloat16's is rounded.
 */
class HalfLossesTest {
  private static final int ROWS = 6;

  /** Labels, or probabilities; weights of classes or none. */
  private record Case(
      ElementType type, int classes, boolean labels, boolean weighted, double smoothing) {
    double logit(int i) {
      float x = (i * 37 % 97 - 48) / 12f;
      return type == ElementType.BFLOAT16
          ? HalfPrecision.fromBfloat16(HalfPrecision.toBfloat16(x))
          : HalfPrecision.fromFloat16(HalfPrecision.toFloat16(x));
    }

    int label(int row) {
      return row * 7 % classes;
    }

    double probability(int row, int k) {
      return labels ? (k == label(row) ? 1 : 0) : (float) (1 + (row + k) % 5) / (3 * classes);
    }

    double weight(int k) {
      return weighted ? 0.5f + k % 3 : 1;
    }

    /** The loss, that of every row, the gradient. */
    double[][] expected() {
      double[] rows = new double[ROWS];
      double[] slope = new double[ROWS * classes];
      double total = 0;
      for (int r = 0; r < ROWS; r++) {
        total += labels ? weight(label(r)) : 1;
      }
      double loss = 0;
      for (int r = 0; r < ROWS; r++) {
        double sum = 0;
        for (int k = 0; k < classes; k++) {
          sum += Math.exp(logit(r * classes + k));
        }
        double mass = 0;
        double[] goals = new double[classes];
        for (int k = 0; k < classes; k++) {
          double w = weight(labels ? label(r) : k);
          goals[k] = ((1 - smoothing) * probability(r, k) + smoothing / classes) * w;
          mass += goals[k];
          rows[r] -= goals[k] * (logit(r * classes + k) - Math.log(sum));
        }
        for (int k = 0; k < classes; k++) {
          double p = Math.exp(logit(r * classes + k)) / sum;
          slope[r * classes + k] = (p * mass - goals[k]) / total;
        }
        loss += rows[r] / total;
      }
      return new double[][] {{loss}, rows, slope};
    }
  }

  static Stream<Arguments> cases() {
    return Stream.of(ElementType.BFLOAT16, ElementType.FLOAT16)
        .flatMap(
            type ->
                Stream.of(1, 3, 40, 1030)
                    .flatMap(
                        classes ->
                            Stream.of(
                                new Case(type, classes, true, false, 0),
                                new Case(type, classes, true, true, 0.1),
                                new Case(type, classes, false, false, 0.1),
                                new Case(type, classes, false, true, 0))))
        .map(Arguments::of);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void lossesAreFloat32AndGradientsAreRoundedOnce(Case c) {
    Graph graph = new Graph();
    Node x = graph.input("x", TensorType.of(ROWS, c.classes));
    Node target =
        c.labels
            ? graph.input("target", TensorType.of(ElementType.INT32, ROWS))
            : graph.input("target", TensorType.of(ROWS, c.classes));
    Node weights = c.weighted ? graph.input("weights", TensorType.of(c.classes)) : null;
    Application loss =
        graph.apply(
            new SoftmaxCrossEntropy(c.smoothing), x.then(new Cast(c.type)), target, weights);
    ElementType stored =
        c.type == ElementType.BFLOAT16 ? ElementType.BFLOAT16 : ElementType.FLOAT32;
    assertThat(loss.output(1).type().element()).isEqualTo(stored);
    Node slope = loss.output(1).then(new Cast(ElementType.FLOAT32));
    EveryDevice.cards(device -> compare(device, c, graph, loss, slope));
  }

  private static void compare(Device device, Case c, Graph graph, Application loss, Node slope) {
    try (Plan plan =
        Plan.of(graph).outputs(loss.output(0), loss.output(2), slope).device(device).build()) {
      fill(plan, c);
      plan.run(1);
      double[][] expected = c.expected();
      double rounding = c.type == ElementType.BFLOAT16 ? 0x1p-8 : 0;
      requireClose(plan.output(loss.output(0)).asFloatBuffer(), expected[0], 0);
      requireClose(plan.output(loss.output(2)).asFloatBuffer(), expected[1], 0);
      requireClose(plan.output(slope).asFloatBuffer(), expected[2], rounding);
    }
  }

  private static void fill(Plan plan, Case c) {
    ByteBuffer x = memory(plan, "x", ROWS * c.classes);
    ByteBuffer target = memory(plan, "target", c.labels ? ROWS : ROWS * c.classes);
    for (int i = 0; i < ROWS * c.classes; i++) {
      x.putFloat(4 * i, (float) c.logit(i));
      if (!c.labels) {
        target.putFloat(4 * i, (float) c.probability(i / c.classes, i % c.classes));
      }
    }
    for (int r = 0; r < ROWS && c.labels; r++) {
      target.putInt(4 * r, c.label(r));
    }
    if (c.weighted) {
      ByteBuffer weights = memory(plan, "weights", c.classes);
      for (int k = 0; k < c.classes; k++) {
        weights.putFloat(4 * k, (float) c.weight(k));
      }
    }
    plan.inputs().forEach(name -> plan.input(name).changed());
  }

  private static ByteBuffer memory(Plan plan, String input, int numbers) {
    return plan.input(input).borrow(0, 4 * numbers);
  }

  private static void requireClose(FloatBuffer actual, double[] expected, double rounding) {
    assertThat(actual.remaining()).isEqualTo(expected.length);
    double scale = 1e-30;
    for (double e : expected) {
      scale = Math.max(scale, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      // float32 itself: sums of logits of up to 4 and their powers
      double tolerance = 4e-6 * Math.max(scale, 0.1) + rounding * Math.abs(expected[i]);
      assertThat((double) actual.get(i))
          .as("element %s", i)
          .isCloseTo(expected[i], within(tolerance));
    }
  }
}
