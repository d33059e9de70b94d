package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GruTest {
  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** h of every step, last h; the biases and {@code h0} may be null. */
  static Array64[] reference(
      Array64 x,
      Array64 kernel,
      Array64 recurrent,
      Array64 bias,
      Array64 recurrentBias,
      Array64 h0) {
    int n = x.dim(0);
    int t = x.dim(1);
    int features = x.dim(2);
    int u = recurrent.dim(0);
    Array64 y = Array64.zeros(n, t, u);
    Array64 h = h0 == null ? Array64.zeros(n, u) : h0.copy();
    for (int e = 0; e < n; e++) {
      for (int s = 0; s < t; s++) {
        double[] a = bias == null ? new double[3 * u] : bias.values().clone();
        double[] b = recurrentBias == null ? new double[3 * u] : recurrentBias.values().clone();
        for (int j = 0; j < 3 * u; j++) {
          for (int f = 0; f < features; f++) {
            a[j] += x.values()[(e * t + s) * features + f] * kernel.values()[f * 3 * u + j];
          }
          for (int k = 0; k < u; k++) {
            b[j] += h.values()[e * u + k] * recurrent.values()[k * 3 * u + j];
          }
        }
        for (int j = 0; j < u; j++) {
          double r = sigmoid(a[j] + b[j]);
          double z = sigmoid(a[u + j] + b[u + j]);
          double candidate = Math.tanh(a[2 * u + j] + r * b[2 * u + j]);
          int at = e * u + j;
          h.values()[at] = (1 - z) * candidate + z * h.values()[at];
          y.values()[(e * t + s) * u + j] = h.values()[at];
        }
      }
    }
    return new Array64[] {y, h};
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "3, 4, 5, 2", "2, 3, 2, 17", "5, 2, 9, 4"})
  void matchesTheReferenceAndFiniteDifferences(int n, int t, int features, int units) {
    OpCheck.of(new Gru())
        .batched(Array64.gaussian(1, n, t, features))
        .input(Array64.uniform(2, -1, 1, features, 3 * units))
        .input(Array64.uniform(3, -1, 1, units, 3 * units))
        .input(Array64.gaussian(4, 3 * units))
        .input(Array64.gaussian(5, 3 * units))
        .batched(Array64.gaussian(6, n, units))
        .forward(in -> reference(in[0], in[1], in[2], in[3], in[4], in[5]))
        .tolerance(5e-6, 5e-5)
        .run();
  }

  @Test
  void startsFromZeroWithoutBiasesAndStateAndOnlyTheLastStateMayBeUsed() {
    OpCheck.graph(
            in -> in[0].graph().apply(new Gru(), in[0], in[1], in[2], null, null, null).output(1))
        .batched(Array64.gaussian(1, 3, 4, 5))
        .input(Array64.uniform(2, -1, 1, 5, 9))
        .input(Array64.uniform(3, -1, 1, 3, 9))
        .forwardOne(in -> reference(in[0], in[1], in[2], null, null, null)[1])
        .tolerance(5e-6, 5e-5)
        .run();
  }

  @Test
  void refusesWhatDoesNotFit() {
    Graph g = new Graph();
    Node x = g.input("x", TensorType.batchOf(4, 5));
    Node kernel = g.input("kernel", TensorType.of(5, 9));
    Node recurrent = g.input("recurrent", TensorType.of(3, 12));
    assertThatThrownBy(() -> g.add(new Gru(), x, kernel, recurrent, null, null, null))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Gru: recurrent kernel must be [3, 9] but is [3, 12]");
    Node fits = g.input("fits", TensorType.of(3, 9));
    Node state = g.input("state", TensorType.batchOf(4));
    assertThatThrownBy(() -> g.add(new Gru(), x, kernel, fits, null, null, state))
        .isInstanceOf(ShapeException.class)
        .hasMessage("Gru: first h must be [n, 3] but is [n, 4]");
  }
}
