package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.op.Affine;
import dev.crema.op.Array64;
import dev.crema.op.OpCheck;
import dev.crema.op.Sigmoid;
import dev.crema.op.Softmax;
import dev.crema.pass.Autodiff;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every loss against its definition in float64, and its gradient against central differences. */
class LossesTest {
  // A mean of float32 terms: a few roundings of 2^-24 each; its gradient has one product more.
  private static final double FORWARD = 4e-6;
  private static final double GRADIENT = 4e-5;

  private static Node of(Loss loss, Op last, Node x, Node target, float... weights) {
    Node output = last == null ? x : x.then(last);
    return loss.build(output, target, weights.length == 0 ? null : weights).loss();
  }

  /** The mean over rows of a function of a row of the model's input to its last op and a target. */
  private static void check(
      Loss loss,
      Op last,
      Array64 x,
      Array64 target,
      ElementType element,
      float[] weights,
      ToDoubleBiFunction<double[], double[]> ofRow) {
    OpCheck.graph(in -> of(loss, last, in[0], in[1], weights))
        .batched(x)
        .data(target, element, true)
        .forwardOne(in -> Array64.zeros().map(ignored -> meanOverRows(in[0], in[1], ofRow)))
        .tolerance(FORWARD, GRADIENT)
        .run();
  }

  private static double meanOverRows(
      Array64 x, Array64 target, ToDoubleBiFunction<double[], double[]> ofRow) {
    int rows = x.dim(0);
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      sum += ofRow.applyAsDouble(row(x, r), row(target, r));
    }
    return sum / rows;
  }

  private static double[] row(Array64 a, int r) {
    int k = a.size() / a.dim(0);
    return java.util.Arrays.copyOfRange(a.values(), r * k, (r + 1) * k);
  }

  private static Array64 oneHot(long seed, int n, int k) {
    Array64 labels = Array64.integers(seed, k, n);
    Array64 result = Array64.zeros(n, k);
    for (int r = 0; r < n; r++) {
      result.values()[r * k + (int) labels.values()[r]] = 1;
    }
    return result;
  }

  private static double mean(double[] x, double[] t, java.util.function.DoubleBinaryOperator f) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += f.applyAsDouble(x[i], t[i]);
    }
    return sum / x.length;
  }

  private static double sigmoidLoss(double x, double t) {
    return Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x)));
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 0", "1, 5, 0", "7, 1, 0.1", "33, 17, 0.2"})
  void binaryCrossentropyOfLogits(int n, int k, double smoothing) {
    check(
        Losses.binaryCrossentropy().withLabelSmoothing(smoothing),
        new Sigmoid(),
        Array64.gaussian(1, n, k),
        Array64.integers(2, 2, n, k),
        ElementType.FLOAT32,
        new float[0],
        (x, t) -> mean(x, t, (a, b) -> sigmoidLoss(a, b * (1 - smoothing) + smoothing / 2)));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "9, 5"})
  void binaryCrossentropyOfProbabilities(int n, int k) {
    check(
        Losses.binaryCrossentropy(),
        new Affine(0.5, 0),
        Array64.uniform(1, 0.2, 1.8, n, k),
        Array64.integers(2, 2, n, k),
        ElementType.FLOAT32,
        new float[0],
        (x, t) -> mean(x, t, (a, b) -> -(b * Math.log(a / 2) + (1 - b) * Math.log(1 - a / 2))));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13})
  void binaryLossesTakeClassNumbersAndAWeightForEachOfTheTwoClasses(int n) {
    Array64 x = Array64.gaussian(1, n, 1);
    Array64 labels = Array64.integers(2, 2, n);
    float[] weights = {0.25f, 4};
    check(
        Losses.binaryCrossentropy(),
        new Sigmoid(),
        x,
        labels,
        ElementType.INT32,
        weights,
        (a, t) -> weights[(int) t[0]] * sigmoidLoss(a[0], t[0]));
    check(
        Losses.hinge(),
        new Sigmoid(),
        x,
        labels,
        ElementType.INT32,
        weights,
        (a, t) -> weights[(int) t[0]] * Math.max(0, 1 - (2 * t[0] - 1) * a[0]));
  }

  @Test
  void ofSeveralLabelsAWeightCountsThePresenceOfItsLabel() {
    float[] weights = {3, 0.5f, 1};
    check(
        Losses.binaryCrossentropyFromLogits(),
        null,
        Array64.gaussian(1, 6, 3),
        Array64.integers(2, 2, 6, 3),
        ElementType.FLOAT32,
        weights,
        (x, t) -> {
          double sum = 0;
          for (int i = 0; i < 3; i++) {
            sum += (t[i] == 1 ? weights[i] : 1) * sigmoidLoss(x[i], t[i]);
          }
          return sum / 3;
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 4", "21, 5"})
  void regressionLossesAreMeansOfTheirTerms(int n, int k) {
    Array64 x = Array64.gaussian(1, n, k);
    Array64 t = Array64.gaussian(2, n, k);
    float[] none = {};
    ElementType f = ElementType.FLOAT32;
    check(Losses.of("mse"), null, x, t, f, none, (a, b) -> mean(a, b, (p, q) -> (p - q) * (p - q)));
    check(Losses.of("mae"), null, x, t, f, none, (a, b) -> mean(a, b, (p, q) -> Math.abs(p - q)));
    for (double delta : new double[] {1, 0.3}) {
      check(
          Losses.of("huber:" + delta),
          null,
          x,
          t,
          f,
          none,
          (a, b) ->
              mean(
                  a,
                  b,
                  (p, q) -> {
                    double d = Math.abs(p - q);
                    return d <= delta ? d * d / 2 : delta * (d - delta / 2);
                  }));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "21, 5"})
  void cosineSimilarityIsTheNegatedCosine(int n, int k) {
    check(
        Losses.cosineSimilarity(),
        null,
        Array64.gaussian(1, n, k),
        Array64.gaussian(2, n, k),
        ElementType.FLOAT32,
        new float[0],
        (a, b) -> {
          double dot = 0;
          double aa = 0;
          double bb = 0;
          for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
          }
          return -dot / Math.sqrt(aa * bb);
        });
  }

  private static double[] softmax(double[] x) {
    double most = java.util.Arrays.stream(x).max().orElseThrow();
    double sum = java.util.Arrays.stream(x).map(v -> Math.exp(v - most)).sum();
    return java.util.Arrays.stream(x).map(v -> Math.exp(v - most) / sum).toArray();
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "19, 7"})
  void divergenceIsASumOverClasses(int n, int k) {
    Array64 targets = Array64.zeros(n, k);
    for (int r = 0; r < n; r++) {
      double[] p = softmax(row(Array64.gaussian(2 + r, 1, k), 0));
      p[0] = r % 2 == 0 ? 0 : p[0]; // a class that cannot be
      for (int c = 0; c < k; c++) {
        targets.values()[r * k + c] = (float) p[c];
      }
    }
    check(
        Losses.klDivergence(),
        new Softmax(),
        Array64.gaussian(1, n, k),
        targets,
        ElementType.FLOAT32,
        new float[0],
        (x, t) -> {
          double[] p = softmax(x);
          double sum = 0;
          for (int c = 0; c < k; c++) {
            sum += t[c] == 0 ? 0 : t[c] * Math.log(t[c] / p[c]);
          }
          return sum;
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "19, 7"})
  void divergenceFromOneClassIsItsWeightedCrossEntropy(int n, int k) {
    float[] weights = new float[k];
    for (int c = 0; c < k; c++) {
      weights[c] = 0.5f + c;
    }
    check(
        Losses.klDivergence(),
        new Softmax(),
        Array64.gaussian(1, n, k),
        Array64.integers(3, k, n),
        ElementType.INT32,
        weights,
        (x, t) -> -weights[(int) t[0]] * Math.log(softmax(x)[(int) t[0]]));
  }

  @ParameterizedTest
  @CsvSource({"1, 2, false", "19, 7, true", "8, 3, false"})
  void categoricalHingeIsKeras(int n, int k, boolean weighted) {
    float[] weights = new float[weighted ? k : 0];
    java.util.Arrays.fill(weights, 2.5f);
    ToDoubleBiFunction<double[], double[]> hinge =
        (x, t) -> {
          double right = 0;
          double best = Double.NEGATIVE_INFINITY;
          for (int c = 0; c < k; c++) {
            right += t[c] * x[c];
            best = Math.max(best, (1 - t[c]) * x[c]);
          }
          return (weighted ? 2.5 : 1) * Math.max(0, best - right + 1);
        };
    check(
        Losses.categoricalHinge(),
        new Softmax(),
        Array64.gaussian(4, n, k),
        oneHot(5, n, k),
        ElementType.FLOAT32,
        weights,
        hinge);
    check(
        Losses.categoricalHinge(),
        null,
        Array64.gaussian(4, n, k),
        Array64.integers(5, k, n),
        ElementType.INT32,
        weights,
        (x, t) -> {
          double[] hot = new double[k];
          hot[(int) t[0]] = 1;
          return hinge.applyAsDouble(x, hot);
        });
  }

  @ParameterizedTest
  @CsvSource({"1, 3, 0, false", "12, 5, 0.1, true"})
  void categoricalCrossentropyOfOneHotTargets(int n, int k, double smoothing, boolean weighted) {
    float[] weights = new float[weighted ? k : 0];
    java.util.Arrays.fill(weights, 1.5f);
    check(
        Losses.categoricalCrossentropy().withLabelSmoothing(smoothing),
        new Softmax(),
        Array64.gaussian(4, n, k),
        oneHot(5, n, k),
        ElementType.FLOAT32,
        weights,
        (x, t) -> {
          double[] p = softmax(x);
          double sum = 0;
          for (int c = 0; c < k; c++) {
            sum -= ((1 - smoothing) * t[c] + smoothing / k) * Math.log(p[c]);
          }
          return (weighted ? 1.5 : 1) * sum;
        });
  }

  /** The loss of one row and its gradient in the row. */
  private static float[] lossAndGradient(Loss loss, Op last, float[] x, float[] target) {
    Graph g = new Graph();
    Node in = g.input("x", TensorType.batchOf(x.length));
    Node t = g.input("t", TensorType.batchOf(target.length));
    Node value = of(loss, last, in, t);
    Node gradient = Autodiff.gradients(value, List.of(in)).get(in);
    try (Plan plan = Plan.of(g).outputs(value, gradient).capacity(1).build()) {
      plan.input("x").floats().put(x);
      plan.input("t").floats().put(target);
      plan.run(1);
      float[] result = new float[1 + x.length];
      result[0] = plan.output(value).asFloatBuffer().get(0);
      FloatBuffer view = plan.output(gradient).asFloatBuffer();
      view.get(result, 1, x.length);
      for (int i = 0; i < result.length; i++) {
        result[i] += 0f; // -0 is 0
      }
      return result;
    }
  }

  @Test
  void extremeLogitsGiveTheLimitsAndNoNan() {
    float[] perfect = {1e4f, -1e4f};
    float[] worst = {-1e4f, 1e4f};
    float[] target = {1, 0};
    Op sigmoid = new Sigmoid();
    Op softmax = new Softmax();
    assertThat(lossAndGradient(Losses.of("bce"), sigmoid, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("bce"), sigmoid, worst, target))
        .containsExactly(1e4f, -0.5f, 0.5f);
    assertThat(lossAndGradient(Losses.of("cce"), softmax, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("cce"), softmax, worst, target))
        .containsExactly(2e4f, -1, 1);
    assertThat(lossAndGradient(Losses.of("kld"), softmax, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("kld"), softmax, worst, target))
        .containsExactly(2e4f, -1, 1);
    assertThat(lossAndGradient(Losses.of("hinge"), sigmoid, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("hinge"), sigmoid, worst, target))
        .containsExactly(10_001, -0.5f, 0.5f);
    assertThat(lossAndGradient(Losses.of("categorical_hinge"), softmax, perfect, target))
        .containsExactly(0, 0, 0);
    assertThat(lossAndGradient(Losses.of("categorical_hinge"), softmax, worst, target))
        .containsExactly(20_001, -1, 1);
    assertThat(lossAndGradient(Losses.of("huber"), null, worst, target))
        .containsExactly(10_000, -0.5f, 0.5f);
  }

  @Test
  void probabilitiesOfZeroAndOneGiveAFiniteLossAndGradient() {
    float[] target = {1, 0};
    Op halved = new Affine(0.5, 0); // not a sigmoid: taken as probabilities
    float[] perfect = lossAndGradient(Losses.of("bce"), halved, new float[] {2, 0}, target);
    assertThat(perfect).containsExactly(0, 0, 0);
    float[] worst = lossAndGradient(Losses.of("bce"), halved, new float[] {0, 2}, target);
    assertThat(worst[0]).isEqualTo(100); // logarithms end at -100
    assertThat(worst[1]).isNegative().isFinite();
    assertThat(worst[2]).isPositive().isFinite();
  }

  @Test
  void cosineOfNothingIsZero() {
    float[] result =
        lossAndGradient(Losses.of("cosine"), null, new float[] {3, 4}, new float[] {0, 0});
    assertThat(result).containsExactly(0, 0, 0);
    float[] far =
        lossAndGradient(
            Losses.of("cosine"), null, new float[] {1e4f, -1e4f}, new float[] {-1e4f, 1e4f});
    assertThat(far[0]).isCloseTo(1, org.assertj.core.data.Offset.offset(1e-6f));
    assertThat(far[1]).isCloseTo(0, org.assertj.core.data.Offset.offset(1e-9f));
  }

  @Test
  void namesAndShortNamesMeanTheSame() {
    for (String entry : Losses.NAMES) {
      String name = entry.replaceAll("[ \\[].*", "");
      Loss loss = Losses.of(name);
      assertThat(Losses.of(loss.name())).isEqualTo(loss);
      if (entry.contains("(")) {
        assertThat(Losses.of(entry.replaceAll(".*\\((.*)\\)", "$1"))).isEqualTo(loss);
      }
    }
    assertThat(Losses.of("huber:0.25").name()).isEqualTo("huber:0.25");
    assertThatThrownBy(() -> Losses.of("huber:x")).hasMessageContaining("huber:NUMBER");
    assertThatThrownBy(() -> Losses.of("huber:-1")).hasMessageContaining("above 0");
    assertThatThrownBy(() -> Losses.of("nonsense")).hasMessageContaining("binary_crossentropy");
    assertThatThrownBy(() -> Losses.of("mse").withLabelSmoothing(0.1))
        .hasMessageContaining("has no label smoothing");
    assertThatThrownBy(() -> Losses.of("bce").withLabelSmoothing(1)).hasMessageContaining("[0, 1)");
  }

  private static Dataset.Slot slot(ElementType type, long... shape) {
    return new Dataset.Slot("y", type, Shape.of(shape));
  }

  @Test
  void outputAndTargetSuggestALoss() {
    Graph g = new Graph();
    Node x = g.input("x", TensorType.batchOf(3));
    Node one = g.input("one", TensorType.batchOf(1));
    Dataset.Slot classes = slot(ElementType.INT32);
    assertThat(Losses.infer(x.then(new Softmax()), classes)).isEqualTo(Losses.of("scce"));
    assertThat(Losses.infer(x, classes)).isEqualTo(Losses.of("scce"));
    assertThat(Losses.infer(one.then(new Sigmoid()), classes)).isEqualTo(Losses.of("bce"));
    assertThat(Losses.infer(one, classes)).isEqualTo(Losses.of("bce_with_logits"));
    Dataset.Slot numbers = slot(ElementType.FLOAT32, 3);
    assertThat(Losses.infer(x.then(new Softmax()), numbers)).isEqualTo(Losses.of("cce"));
    assertThat(Losses.infer(x.then(new Sigmoid()), numbers)).isEqualTo(Losses.of("bce"));
    assertThat(Losses.infer(x, numbers)).isEqualTo(Losses.of("mse"));
  }

  @Test
  void targetsThatDoNotFitAreRefusedInWords() {
    TensorType three = TensorType.batchOf(3);
    TensorType one = TensorType.batchOf(1);
    assertThatThrownBy(() -> Losses.of("mse").target(three, slot(ElementType.INT32)))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "mean_squared_error expects a number (float32) for each output of a model that gives"
                + " [n, 3], but the data's target is [n] int32. Choose another loss, or change the"
                + " model's last layer.");
    assertThatThrownBy(() -> Losses.of("bce").target(three, slot(ElementType.INT32)))
        .hasMessageContaining("Give the last layer one unit, or use categorical_crossentropy.");
    assertThatThrownBy(() -> Losses.of("cce").target(one, slot(ElementType.INT32)))
        .hasMessageContaining("use binary_crossentropy");
    assertThatThrownBy(() -> Losses.of("cce").target(three, slot(ElementType.FLOAT32, 2)))
        .hasMessageContaining("[n, 2]");
    Graph g = new Graph();
    Node x = g.input("x", TensorType.batchOf(2));
    Node kernel = g.input("kernel", TensorType.of(2, 1));
    Node linear = x.then(new dev.crema.op.Linear(), kernel, null);
    Node t = g.input("t", TensorType.batchOf(1));
    assertThatThrownBy(() -> Losses.of("bce").build(linear, t, null))
        .hasMessageContaining("activation sigmoid");
    assertThatThrownBy(() -> Losses.of("mse").build(linear, t, new float[] {1, 2}))
        .hasMessageContaining("regression");
    assertThatThrownBy(() -> Losses.of("hinge").build(linear, t, new float[] {1}))
        .hasMessageContaining("expected 2 class weights, got 1");
  }
}
