package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LstmTest {
  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** h of every step, last h, last c; {@code bias}, {@code h0} and {@code c0} may be null. */
  static Array64[] reference(
      Array64 x, Array64 kernel, Array64 recurrent, Array64 bias, Array64 h0, Array64 c0) {
    int n = x.dim(0);
    int t = x.dim(1);
    int features = x.dim(2);
    int u = recurrent.dim(0);
    Array64 y = Array64.zeros(n, t, u);
    Array64 h = h0 == null ? Array64.zeros(n, u) : h0.copy();
    Array64 c = c0 == null ? Array64.zeros(n, u) : c0.copy();
    for (int e = 0; e < n; e++) {
      for (int s = 0; s < t; s++) {
        double[] gates = bias == null ? new double[4 * u] : bias.values().clone();
        for (int j = 0; j < 4 * u; j++) {
          for (int f = 0; f < features; f++) {
            gates[j] += x.values()[(e * t + s) * features + f] * kernel.values()[f * 4 * u + j];
          }
          for (int k = 0; k < u; k++) {
            gates[j] += h.values()[e * u + k] * recurrent.values()[k * 4 * u + j];
          }
        }
        for (int j = 0; j < u; j++) {
          int at = e * u + j;
          c.values()[at] =
              sigmoid(gates[u + j]) * c.values()[at]
                  + sigmoid(gates[j]) * Math.tanh(gates[2 * u + j]);
          h.values()[at] = sigmoid(gates[3 * u + j]) * Math.tanh(c.values()[at]);
          y.values()[(e * t + s) * u + j] = h.values()[at];
        }
      }
    }
    return new Array64[] {y, h, c};
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "3, 4, 5, 2", "2, 3, 2, 17", "5, 2, 9, 4"})
  void matchesTheReferenceAndFiniteDifferences(int n, int t, int features, int units) {
    OpCheck.of(new Lstm())
        .batched(Array64.gaussian(1, n, t, features))
        .input(Array64.uniform(2, -1, 1, features, 4 * units))
        .input(Array64.uniform(3, -1, 1, units, 4 * units))
        .input(Array64.gaussian(4, 4 * units))
        .batched(Array64.gaussian(5, n, units))
        .batched(Array64.gaussian(6, n, units))
        .forward(in -> reference(in[0], in[1], in[2], in[3], in[4], in[5]))
        .tolerance(5e-6, 5e-5)
        .run();
  }

  @Test
  void startsFromZeroWithoutBiasAndStatesAndOnlyTheLastStateMayBeUsed() {
    OpCheck.graph(
            in -> in[0].graph().apply(new Lstm(), in[0], in[1], in[2], null, null, null).output(1))
        .batched(Array64.gaussian(1, 3, 4, 5))
        .input(Array64.uniform(2, -1, 1, 5, 12))
        .input(Array64.uniform(3, -1, 1, 3, 12))
        .forwardOne(in -> reference(in[0], in[1], in[2], null, null, null)[1])
        .tolerance(5e-6, 5e-5)
        .run();
  }

  @Test
  void refusesWhatDoesNotFit() {
    Graph g = new Graph();
    Node x = g.input("x", TensorType.batchOf(4, 5));
    Node kernel = g.input("kernel", TensorType.of(6, 12));
    Node recurrent = g.input("recurrent", TensorType.of(3, 12));
    assertThatThrownBy(() -> g.add(new Lstm(), x, kernel, recurrent, null, null, null))
        .isInstanceOf(ShapeException.class)
        .hasMessage(
            "Lstm: expects 6 features but gets [n, 4, 5]. Check the shape of the input before it.");
    Node fits = g.input("fits", TensorType.of(5, 12));
    assertThatThrownBy(
            () ->
                g.add(
                    new Lstm(), x, fits, recurrent, g.input("bias", TensorType.of(3)), null, null))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Lstm: bias must be [12] but is [3]");
    assertThatThrownBy(() -> g.add(new Lstm(), x, fits, recurrent))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Lstm: takes 6 inputs (null for an absent one) but gets 3");
    assertThatThrownBy(
            () ->
                g.add(
                    new Lstm(),
                    g.input("flat", TensorType.batchOf(5)),
                    fits,
                    recurrent,
                    null,
                    null,
                    null))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Lstm: expects a sequence [n, t, features] but gets [n, 5]");
  }
}
