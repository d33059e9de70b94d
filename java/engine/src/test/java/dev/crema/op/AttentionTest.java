package dev.crema.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttentionTest {
  static Array64 reference(Array64 q, Array64 k, Array64 v, boolean causal) {
    return references(q, k, v, causal)[0];
  }

  /**
   * q [.., .., t, d], k [.., .., s, d], v [.., .., s, e], query by query: y, logarithms of the
   * sums.
   */
  static Array64[] references(Array64 q, Array64 k, Array64 v, boolean causal) {
    int groups = q.dim(0) * q.dim(1);
    int t = q.dim(2);
    int s = k.dim(2);
    int d = q.dim(3);
    int e = v.dim(3);
    Array64 y = Array64.zeros(q.dim(0), q.dim(1), t, e);
    Array64 logs = Array64.zeros(q.dim(0), q.dim(1), t);
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
        logs.values()[g * t + i] = most + Math.log(sum);
      }
    }
    return new Array64[] {y, logs};
  }

  @ParameterizedTest
  @CsvSource({
    "false, 1, 1, 1, 1",
    "false, 5, 3, 4, 6",
    "false, 3, 17, 8, 2",
    "false, 2, 3, 130, 5",
    "true, 1, 1, 3, 3",
    "true, 7, 7, 4, 5",
    "true, 18, 18, 2, 2"
  })
  void isTheWeightedMeanOfTheValues(boolean causal, int t, int s, int d, int e) {
    OpCheck.graph(in -> Attention.scaledDotProduct(in[0], in[1], in[2], causal))
        .batched(Array64.gaussian(1, 2, 3, t, d))
        .batched(Array64.gaussian(2, 2, 3, s, d))
        .batched(Array64.gaussian(3, 2, 3, s, e))
        .forwardOne(in -> reference(in[0], in[1], in[2], causal))
        .run();
  }

  /** Of several blocks of queries and of keys, on every device. */
  @ParameterizedTest
  @CsvSource({"false, 70, 300, 16, 8", "true, 270, 270, 8, 12", "true, 130, 130, 64, 64"})
  void goesOverBlocksOfKeys(boolean causal, int t, int s, int d, int e) {
    OpCheck.of(new Attention(causal, 1 / Math.sqrt(d), Precision.FLOAT32, false))
        .batched(Array64.gaussian(1, 1, 2, t, d))
        .batched(Array64.gaussian(2, 1, 2, s, d))
        .batched(Array64.gaussian(3, 1, 2, s, e))
        .forward(in -> references(in[0], in[1], in[2], causal))
        .withoutGradient()
        .run();
  }

  @ParameterizedTest
  @CsvSource({"false, 5, 3, 4, 6, 2", "true, 7, 7, 2, 3, 3", "true, 66, 66, 2, 1, 1"})
  void headsMayLieInside(boolean causal, int t, int s, int d, int e, int heads) {
    OpCheck.graph(in -> Attention.ofHeads(in[0], in[1], in[2], causal))
        .batched(Array64.gaussian(1, 2, t, heads, d))
        .batched(Array64.gaussian(2, 2, s, heads, d))
        .batched(Array64.gaussian(3, 2, s, heads, e))
        .forwardOne(in -> swap(reference(swap(in[0]), swap(in[1]), swap(in[2]), causal)))
        .run();
  }

  /** The two axes in the middle of four, in each other's places. */
  private static Array64 swap(Array64 x) {
    Array64 y = Array64.zeros(x.dim(0), x.dim(2), x.dim(1), x.dim(3));
    for (int i = 0; i < x.size(); i++) {
      int c = i % x.dim(3);
      int b = i / x.dim(3) % x.dim(2);
      int a = i / x.dim(3) / x.dim(2) % x.dim(1);
      int n = i / x.dim(3) / x.dim(2) / x.dim(1);
      y.values()[((n * x.dim(2) + b) * x.dim(1) + a) * x.dim(3) + c] = x.values()[i];
    }
    return y;
  }

  /** Of several blocks of queries. */
  @ParameterizedTest
  @CsvSource({"false, 130, 130, 2, 1", "true, 66, 66, 2, 2"})
  void theGradientGoesOverBlocksOfKeys(boolean causal, int t, int s, int d, int e) {
    OpCheck.graph(in -> Attention.scaledDotProduct(in[0], in[1], in[2], causal))
        .batched(Array64.gaussian(1, 1, 1, t, d))
        .batched(Array64.gaussian(2, 1, 1, s, d))
        .batched(Array64.gaussian(3, 1, 1, s, e))
        .forwardOne(in -> reference(in[0], in[1], in[2], causal))
        .run();
  }

  /** Of which no single op is made: its weights go through a function. */
  @ParameterizedTest
  @CsvSource({"false, 5, 3, 4, 6", "true, 7, 7, 4, 5"})
  void weightsGoThroughAFunction(boolean causal, int t, int s, int d, int e) {
    OpCheck.graph(
            in ->
                Attention.scaledDotProduct(
                    in[0], in[1], in[2], causal, w -> w.then(new Affine(2, 0))))
        .batched(Array64.gaussian(1, 2, 3, t, d))
        .batched(Array64.gaussian(2, 2, 3, s, d))
        .batched(Array64.gaussian(3, 2, 3, s, e))
        .forwardOne(in -> reference(in[0], in[1], in[2], causal).map(y -> 2 * y))
        .run();
  }

  /** Scores of some thousands: their exponentials alone would be infinite. */
  @Test
  void greatScoresGiveTheGreatestOnesValue() {
    OpCheck.graph(in -> Attention.scaledDotProduct(in[0], in[1], in[2], false))
        .batched(Array64.gaussian(1, 1, 2, 4, 8).map(x -> (float) (x * 60)))
        .batched(Array64.gaussian(2, 1, 2, 5, 8).map(x -> (float) (x * 60)))
        .batched(Array64.gaussian(3, 1, 2, 5, 3))
        .forwardOne(in -> reference(in[0], in[1], in[2], false))
        .tolerance(1e-3, 0) // scores of 5,000 have steps of 2^-11 in float32
        .withoutGradient()
        .run();
  }

  @Test
  void whatIsNotFiniteReachesWhoeverSeesIt() {
    Array64 q = Array64.gaussian(1, 1, 2, 4, 8);
    q.values()[8] = Double.NaN; // of one query
    Array64 v = Array64.gaussian(3, 1, 2, 5, 3);
    v.values()[5 * 3 + 1] = Double.POSITIVE_INFINITY; // of the second head
    OpCheck.graph(in -> Attention.scaledDotProduct(in[0], in[1], in[2], false))
        .batched(q)
        .batched(Array64.gaussian(2, 1, 2, 5, 8))
        .batched(v)
        .forwardOne(in -> reference(in[0], in[1], in[2], false))
        .withoutGradient()
        .run();
  }

  /** Twice as long sequences need twice the memory, forward and backward. */
  @Test
  void memoryGrowsWithTheLengthAndNotItsSquare() {
    EveryDevice.check(
        device -> {
          long small = arena(device, 1024);
          long great = arena(device, 4096);
          assertThat(great).isLessThan(4096L * 4096 * 4).isLessThan(4 * small + 4096);
        });
  }

  private static long arena(Device device, long length) {
    Graph graph = new Graph();
    Node q = graph.input("q", TensorType.of(1, length, 16));
    Node k = graph.input("k", TensorType.of(1, length, 16));
    Node v = graph.input("v", TensorType.of(1, length, 16));
    Node y = Attention.scaledDotProduct(q, k, v, true);
    Node dy = graph.input("dy", y.type());
    Map<Node, Node> d = Autodiff.gradients(List.of(y), List.of(dy), List.of(q, k, v));
    try (Plan plan =
        Plan.of(graph).outputs(y, d.get(q), d.get(k), d.get(v)).device(device).build()) {
      return plan.arenaBytes();
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Graph graph = new Graph();
    Node q = graph.input("q", TensorType.batchOf(2, 3, 4));
    Node k = graph.input("k", TensorType.batchOf(2, 5, 4));
    Node wide = graph.input("wide", TensorType.batchOf(2, 5, 6));
    Node one = graph.input("one", TensorType.batchOf(1, 5, 4));
    Node half = k.then(new Cast(ElementType.BFLOAT16));
    refused(
        () -> Attention.scaledDotProduct(q, k, k, true),
        "causal attention needs as many keys as queries but gets 3 queries and 5 keys");
    refused(
        () -> Attention.scaledDotProduct(q, k, k, true, UnaryOperator.identity()),
        "causal attention needs as many keys as queries but gets 3 queries and 5 keys");
    refused(
        () -> Attention.scaledDotProduct(q, wide, k, false),
        "queries [n, 2, 3, 4] and keys [n, 2, 5, 6] differ in their last extents");
    refused(
        () -> Attention.scaledDotProduct(q, k, q, false),
        "needs a value for each key but gets keys [n, 2, 5, 4] and values [n, 2, 3, 4]");
    refused(
        () -> Attention.scaledDotProduct(q, one, k, false),
        "whose other axes are the same but gets [n, 2, 3, 4], [n, 1, 5, 4] and [n, 2, 5, 4]");
    refused(
        () -> Attention.ofHeads(q, k, k, false),
        "needs queries [..., t, h, d], keys [..., s, h, d] and values [..., s, h, e]");
    Node flat = graph.input("flat", TensorType.batchOf(4));
    refused(() -> Attention.ofHeads(flat, flat, flat, false), "[..., t, h, d]");
    refused(() -> Attention.scaledDotProduct(q, half, k, false), "k");
    refused(
        () -> new Attention(false, 0, Precision.FLOAT32, false),
        "the scale of attention must be a positive number, got 0.0");
    refused(() -> new AttentionGrad(false, Double.NaN, Precision.FLOAT32, false), "got NaN");
    assertThatThrownBy(() -> new Attention(false, 1, null, false))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("precision");
  }

  private static void refused(Runnable build, String message) {
    assertThatThrownBy(build::run).isInstanceOf(ShapeException.class).hasMessageContaining(message);
  }
}
