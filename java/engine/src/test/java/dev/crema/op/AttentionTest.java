package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionTest {
  /** q [groups, t, d], k [groups, s, d], v [groups, s, e], query by query. */
  static Array64 reference(Array64 q, Array64 k, Array64 v, boolean causal) {
    int groups = q.dim(0) * q.dim(1);
    int t = q.dim(2);
    int s = k.dim(2);
    int d = q.dim(3);
    int e = v.dim(3);
    Array64 y = Array64.zeros(q.dim(0), q.dim(1), t, e);
    for (int g = 0; g < groups; g++) {
      for (int i = 0; i < t; i++) {
        int seen = causal ? i + 1 : s;
        double[] weights = new double[seen];
        double most = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < seen; j++) {
          for (int p = 0; p < d; p++) {
            weights[j] += q.values()[(g * t + i) * d + p] * k.values()[(g * s + j) * d + p];
          }
          weights[j] /= Math.sqrt(d);
          most = Math.max(most, weights[j]);
        }
        double sum = 0;
        for (int j = 0; j < seen; j++) {
          weights[j] = Math.exp(weights[j] - most);
          sum += weights[j];
        }
        for (int j = 0; j < seen; j++) {
          for (int c = 0; c < e; c++) {
            y.values()[(g * t + i) * e + c] += weights[j] / sum * v.values()[(g * s + j) * e + c];
          }
        }
      }
    }
    return y;
  }

  @ParameterizedTest
  @CsvSource({
    "false, 1, 1, 1, 1",
    "false, 5, 3, 4, 6",
    "false, 3, 17, 8, 2",
    "true, 1, 1, 3, 3",
    "true, 7, 7, 4, 5",
    "true, 18, 18, 2, 2"
  })
  void isTheWeightedMeanOfTheValues(boolean causal, int t, int s, int d, int e) {
    OpCheck.graph(
            in -> Attention.scaledDotProduct(in[0], in[1], in[2], causal, UnaryOperator.identity()))
        .batched(Array64.gaussian(1, 2, 3, t, d))
        .batched(Array64.gaussian(2, 2, 3, s, d))
        .batched(Array64.gaussian(3, 2, 3, s, e))
        .forwardOne(in -> reference(in[0], in[1], in[2], causal))
        .run();
  }

  /** Scores of some thousands: their exponentials alone would be infinite. */
  @Test
  void greatScoresGiveTheGreatestOnesValue() {
    OpCheck.graph(
            in -> Attention.scaledDotProduct(in[0], in[1], in[2], false, UnaryOperator.identity()))
        .batched(Array64.gaussian(1, 1, 2, 4, 8).map(x -> (float) (x * 60)))
        .batched(Array64.gaussian(2, 1, 2, 5, 8).map(x -> (float) (x * 60)))
        .batched(Array64.gaussian(3, 1, 2, 5, 3))
        .forwardOne(in -> reference(in[0], in[1], in[2], false))
        .tolerance(1e-3, 0) // scores of 5,000 have steps of 2^-11 in float32
        .withoutGradient()
        .run();
  }

  @Test
  void aCausalMaskNeedsAsManyKeysAsQueries() {
    Graph graph = new Graph();
    Node q = graph.input("q", TensorType.batchOf(2, 3, 4));
    Node k = graph.input("k", TensorType.batchOf(2, 5, 4));
    assertThatThrownBy(() -> Attention.scaledDotProduct(q, k, k, true, UnaryOperator.identity()))
        .isInstanceOf(ShapeException.class)
        .hasMessage("causal attention needs as many keys as queries but gets 3 and 5");
  }
}
