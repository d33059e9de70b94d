package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.data.Mnist;
import dev.crema.graph.ShapeException;
import dev.crema.train.Evaluator;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MultiHeadAttentionTest {
  private static final int T = 5;
  private static final int FEATURES = 6;

  private static Model self(MultiHeadAttention layer) {
    Symbol x = Symbol.input("x", T, FEATURES);
    Model model = Model.of(List.of(x), List.of(layer.named("a", x)), 3);
    Random random = new Random(5);
    for (String path : List.of("a/query_bias", "a/key_bias", "a/value_bias", "a/output_bias")) {
      float[] bias = new float[model.get(path).length];
      for (int i = 0; i < bias.length; i++) {
        bias[i] = (float) random.nextGaussian();
      }
      model.set(path, bias);
    }
    return model;
  }

  private static float[] example(long seed) {
    float[] x = new float[T * FEATURES];
    Random random = new Random(seed);
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static double[][] linear(Model model, String name, double[][] x) {
    float[] kernel = model.get("a/" + name + "_kernel");
    float[] bias = model.get("a/" + name + "_bias");
    double[][] y = new double[x.length][bias.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < bias.length; j++) {
        y[i][j] = bias[j];
        for (int p = 0; p < x[i].length; p++) {
          y[i][j] += x[i][p] * kernel[p * bias.length + j];
        }
      }
    }
    return y;
  }

  private static double[] expected(Model model, float[] example, int heads, boolean causal) {
    double[][] x = new double[T][FEATURES];
    for (int i = 0; i < example.length; i++) {
      x[i / FEATURES][i % FEATURES] = example[i];
    }
    double[][] q = linear(model, "query", x);
    double[][] k = linear(model, "key", x);
    double[][] v = linear(model, "value", x);
    int d = q[0].length / heads;
    double[][] joined = new double[T][heads * d];
    for (int h = 0; h < heads; h++) {
      for (int i = 0; i < T; i++) {
        double sum = 0;
        double[] mean = new double[d];
        for (int j = 0; j < (causal ? i + 1 : T); j++) {
          double score = 0;
          for (int p = h * d; p < (h + 1) * d; p++) {
            score += q[i][p] * k[j][p];
          }
          double weight = Math.exp(score / Math.sqrt(d));
          sum += weight;
          for (int p = 0; p < d; p++) {
            mean[p] += weight * v[j][h * d + p];
          }
        }
        for (int p = 0; p < d; p++) {
          joined[i][h * d + p] = mean[p] / sum;
        }
      }
    }
    double[][] y = linear(model, "output", joined);
    double[] flat = new double[T * FEATURES];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = y[i / FEATURES][i % FEATURES];
    }
    return flat;
  }

  @Test
  void headsAttendEachForItself() {
    for (boolean causal : new boolean[] {false, true}) {
      for (int size : new int[] {2, 5}) {
        MultiHeadAttention layer = MultiHeadAttention.of(3).withHeadSize(size);
        try (Model model = self(causal ? layer.withCausalMask() : layer)) {
          float[] x = example(1);
          double[] expected = expected(model, x, 3, causal);
          float[] y = model.predict(x);
          assertThat(y).hasSize(expected.length);
          for (int i = 0; i < y.length; i++) {
            assertThat((double) y[i]).as("element %d", i).isCloseTo(expected[i], within(1e-5));
          }
        }
      }
    }
  }

  @Test
  void whatComesLaterChangesNothingBeforeIt() {
    try (Model model = self(MultiHeadAttention.of(2).withCausalMask())) {
      float[] x = example(1);
      float[] before = model.predict(x);
      x[x.length - 1] += 3;
      float[] after = model.predict(x);
      for (int i = 0; i < before.length; i++) {
        if (i < (T - 1) * FEATURES) {
          assertThat(after[i]).isEqualTo(before[i]);
        } else {
          assertThat(after[i]).isNotEqualTo(before[i]);
        }
      }
    }
  }

  @Test
  void attendsToAnotherSequence() {
    Symbol q = Symbol.input("q", 3, 4);
    Symbol k = Symbol.input("k", 7, 5);
    Symbol v = Symbol.input("v", 7, 2);
    Symbol y = MultiHeadAttention.of(2).withHeadSize(3).withoutBias().named("a", q, k, v);
    try (Model model = Model.of(List.of(q, k, v), List.of(y), 1)) {
      assertThat(model.get("a/query_kernel")).hasSize(4 * 6);
      assertThat(model.get("a/key_kernel")).hasSize(5 * 6);
      assertThat(model.get("a/value_kernel")).hasSize(2 * 6);
      assertThat(model.get("a/output_kernel")).hasSize(6 * 4);
      assertThat(model.topology().outputTypes()).hasToString("[[n, 3, 4]]");
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Symbol x = Symbol.input("x", 3, 10);
    Symbol y = Symbol.input("y", 4, 10);
    fails("needs features that 3 heads divide", MultiHeadAttention.of(3).apply(x), x);
    fails(
        "needs as many keys as queries, [n, 3, 10], for its causal mask but gets [n, 4, 10]",
        MultiHeadAttention.of(2).withCausalMask().apply(x, y),
        x,
        y);
    fails("needs as many values as keys", MultiHeadAttention.of(2).apply(x, x, y), x, y);
    fails("takes queries, keys and values but", MultiHeadAttention.of(2).apply(x, x, x, y), x, y);
    Symbol flat = Symbol.input("x", 10);
    fails("needs sequences [n, length, features]", MultiHeadAttention.of(2).apply(flat), flat);
    assertThatThrownBy(() -> MultiHeadAttention.of(0)).hasMessageContaining("heads");
    assertThatThrownBy(() -> MultiHeadAttention.of(1).withDropout(1))
        .isInstanceOf(ShapeException.class)
        .hasMessage("dropout must lie in [0, 1), got 1.0");
  }

  private static void fails(String message, Symbol output, Symbol... inputs) {
    assertThatThrownBy(() -> Topology.of(List.of(inputs), List.of(output)).table())
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("multi_head_attention_1 (MultiHeadAttention): " + message);
  }

  /** A transformer's block whose words are the rows of a digit. */
  @Test
  void aTransformerBlockLearnsDigitsAndIsLoadedAgain(@TempDir Path folder) {
    Symbol x = Symbol.input("x", 100);
    Symbol rows = x.then(ReshapeTo.of(10, 10)).then(Dense.of(16));
    Symbol attended =
        new Add()
            .apply(
                rows, rows.then(new LayerNorm()).then(MultiHeadAttention.of(4).withDropout(0.1)));
    Symbol inner = attended.then(new LayerNorm()).then(Dense.of(32, Activation.GELU));
    Symbol block = new Add().apply(attended, inner.then(Dense.of(16)));
    Symbol y = block.then(new Flatten()).then(Dense.of(10, Activation.SOFTMAX));
    Mnist digits = Mnist.sample10x10();
    try (Model model = Model.of(List.of(x), List.of(y), 1)) {
      Trainer.of(model).epochs(3).fit(digits.train().take(4000));
      try (Evaluator evaluator = Evaluator.of(model, digits.test())) {
        assertThat(evaluator.evaluate(digits.test()).classification().accuracy())
            .isGreaterThan(0.85);
      }
      model.save(folder.resolve("m"));
      float[] example = new float[100];
      example[45] = 1;
      try (Model loaded = Model.load(folder.resolve("m"))) {
        assertThat(loaded.predict(example)).isEqualTo(model.predict(example));
      }
    }
  }
}
