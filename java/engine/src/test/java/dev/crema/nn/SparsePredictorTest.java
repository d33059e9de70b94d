package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CapturedLog;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.io.ModelArchive;
import dev.crema.io.TensorInfo;
import dev.crema.op.EveryDevice;
import dev.crema.pass.NonZeros;
import dev.crema.plan.Plan;
import dev.crema.plan.SparseTrial;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose kernels are mostly zero predict what they would if these were multiplied. */
class SparsePredictorTest {
  private static Model model() {
    return Model.sequential(60)
        .dense(150, Activation.RELU)
        .dense(70, Activation.GELU)
        .dense(9, Activation.SOFTMAX)
        .build(3);
  }

  /** Keeps that share of a kernel's weights. */
  private static void prune(Model model, String kernel, double density) {
    SplittableRandom random = new SplittableRandom(5);
    boolean[] kept = new boolean[model.get(kernel).length];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = random.nextDouble() < density;
    }
    model.masks().set(kernel, kept);
  }

  private static float[][] examples(int count) {
    SplittableRandom random = new SplittableRandom(8);
    float[][] x = new float[count][60];
    for (float[] row : x) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextDouble(-1, 1);
      }
    }
    return x;
  }

  private static double[] dense(Model model, String layer, double[] x) {
    float[] kernel = model.get(layer + "/kernel");
    float[] bias = model.get(layer + "/bias");
    double[] y = new double[bias.length];
    for (int j = 0; j < y.length; j++) {
      y[j] = bias[j];
      for (int i = 0; i < x.length; i++) {
        y[j] += x[i] * kernel[i * y.length + j];
      }
    }
    return y;
  }

  private static double[] reference(Model model, float[] example) {
    double[] x = new double[example.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = example[i];
    }
    double[] h = dense(model, "dense_1", x);
    for (int i = 0; i < h.length; i++) {
      h[i] = Math.max(0, h[i]);
    }
    h = dense(model, "dense_2", h);
    for (int i = 0; i < h.length; i++) {
      h[i] = h[i] * 0.5 * (1 + erf(h[i] / Math.sqrt(2)));
    }
    double[] y = dense(model, "dense_3", h);
    double sum = 0;
    for (int i = 0; i < y.length; i++) {
      y[i] = Math.exp(y[i]);
      sum += y[i];
    }
    for (int i = 0; i < y.length; i++) {
      y[i] /= sum;
    }
    return y;
  }

  /** By its series; the arguments here are small. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 60; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  private static void check(Model model, float[][] actual, float[][] x) {
    for (int i = 0; i < x.length; i++) {
      double[] expected = reference(model, x[i]);
      for (int j = 0; j < expected.length; j++) {
        // Probabilities of logits with an error of about 1e-6.
        assertThat((double) actual[i][j]).isCloseTo(expected[j], within(3e-6));
      }
    }
  }

  @Test
  void predictionsAreThoseOfTheWeightsWhateverIsChosen() {
    try (Model model = model()) {
      prune(model, "dense_1/kernel", 0.1);
      prune(model, "dense_2/kernel", 0.05);
      float[][] x = examples(37);
      for (CpuDevice device : CpuDevice.levels()) {
        for (int capacity : new int[] {1, 8, 37}) {
          try (Predictor predictor = model.predictor(capacity, 1, device)) {
            check(model, predictor.predict(x), x);
          }
        }
      }
    }
  }

  @Test
  void predictionsFollowWeightsThatArePrunedAndGrowAgain() {
    try (Model model = model();
        Predictor predictor = model.predictor(8, 1, Device.best())) {
      float[][] x = examples(8);
      check(model, predictor.predict(x), x);
      prune(model, "dense_1/kernel", 0.02);
      prune(model, "dense_2/kernel", 0.02);
      check(model, predictor.predict(x), x);
      check(model, model.predict(x), x);
      try (Predictor sparse = model.predictor(8, 1, Device.best())) {
        check(model, sparse.predict(x), x);
        model.masks().clear();
        float[] grown = model.get("dense_2/kernel");
        for (int i = 0; i < grown.length; i++) {
          grown[i] = (i % 19 - 9) * 0.01f;
        }
        model.set("dense_2/kernel", grown);
        check(model, sparse.predict(x), x);
        check(model, model.predict(x), x);
      }
    }
  }

  private static NonZeros nonZeros(float[] kernel, int units) {
    long weights = 0;
    long groups = 0;
    for (int row = 0; row < kernel.length; row += units) {
      for (int from = 0; from < units; from += 4) {
        long some = 0;
        for (int j = from; j < Math.min(from + 4, units); j++) {
          some += kernel[row + j] == 0 ? 0 : 1;
        }
        weights += some;
        groups += some == 0 ? 0 : 1;
      }
    }
    return new NonZeros(weights, groups);
  }

  @Test
  void kernelsThatAreMostlyZeroAreFoundAgainWhenTheyHaveChanged() {
    try (Model model = model()) {
      SparseKernels kernels = model.sparseKernels();
      assertThat(kernels.nonZeros()).isEmpty();
      Map<String, SparseTrial.Pattern> none = kernels.patterns();
      prune(model, "dense_2/kernel", 0.1);
      NonZeros count = nonZeros(model.get("dense_2/kernel"), 70);
      assertThat(kernels.differFrom(none)).isTrue();
      assertThat(kernels.nonZeros()).isEqualTo(Map.of("dense_2/kernel", count));
      Map<String, SparseTrial.Pattern> some = kernels.patterns();
      assertThat(some).containsKey("dense_2/kernel");
      float[] w = model.get("dense_1/kernel");
      w[0] = 5;
      model.set("dense_1/kernel", w);
      assertThat(kernels.differFrom(some)).isFalse();
      prune(model, "dense_1/kernel", 0.6); // not mostly zero
      assertThat(kernels.differFrom(some)).isFalse();
      float[] zeros = new float[w.length];
      model.set("dense_1/kernel", zeros);
      assertThat(kernels.nonZeros()).containsEntry("dense_1/kernel", new NonZeros(0, 0));
      for (int i = 0; i < 8; i++) {
        zeros[i * 600 + 148] = 1; // the last two of a row of 150
        zeros[i * 600 + 149] = 1;
        zeros[i * 600 + 150] = 1; // the first of the next
      }
      model.set("dense_1/kernel", zeros);
      assertThat(kernels.nonZeros()).containsEntry("dense_1/kernel", new NonZeros(24, 16));
    }
  }

  @Test
  void predictorsThatWaitAreMadeAnewOnceTheWeightsAreSparse() {
    try (Model model = model();
        Predictor before = model.predictor(1, 1, Device.best())) {
      assertThat(before.isOutdated()).isFalse();
      prune(model, "dense_1/kernel", 0.1);
      assertThat(before.isOutdated()).isTrue();
      try (Predictor after = model.predictor(1, 1, Device.best())) {
        assertThat(after.isOutdated()).isFalse();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lenet", "mlp:200,100"})
  void aPrunedNetworkPredictsAsItDidAndTakesLessSpace(String name, @TempDir Path folder) {
    long[] image = {28, 28, 1};
    try (Model model = Model.of(BuiltIn.topology(name, image, BuiltIn.Output.CLASSES, 10), 4)) {
      model.save(folder.resolve("dense"));
      for (Parameter p : model.table().all()) {
        if (p.type().rank() >= 2) {
          prune(model, p.path(), 0.1);
        }
      }
      float[][] x = new float[20][784];
      SplittableRandom random = new SplittableRandom(9);
      for (float[] row : x) {
        for (int i = 0; i < row.length; i++) {
          row[i] = random.nextFloat();
        }
      }
      float[][] expected = multiplied(model, x);
      model.save(folder.resolve("sparse"));
      try (Model loaded = Model.load(folder.resolve("sparse"))) {
        for (CpuDevice device : CpuDevice.levels()) {
          for (int capacity : new int[] {1, 20}) {
            try (Predictor predictor = loaded.predictor(capacity, 2, device)) {
              float[][] actual = predictor.predict(x);
              for (int i = 0; i < x.length; i++) {
                // The same sums in another order, then a softmax.
                assertThat(actual[i]).containsExactly(expected[i], within(2e-6f));
              }
            }
          }
        }
      }
    }
    assertThat(size(folder.resolve("sparse"))).isLessThan(size(folder.resolve("dense")) / 4);
  }

  /** Predictions that leave no zero out. */
  private static float[][] multiplied(Model model, float[][] x) {
    ModelGraph graph = model.build(new Graph(), false);
    Node y = graph.outputs().get(0);
    try (Plan plan =
        Plan.of(graph.graph())
            .outputs(y)
            .storage(Storage.PARAMETERS, model.parameters())
            .storage(Storage.STATE, model.state())
            .build()) {
      float[][] results = new float[x.length][10];
      for (int i = 0; i < x.length; i++) {
        plan.input(plan.inputs().iterator().next()).floats().put(x[i]);
        plan.run(1);
        plan.output(y).asFloatBuffer().get(results[i]);
      }
      return results;
    }
  }

  private static long size(Path model) {
    try (ModelArchive archive = ModelArchive.open(model)) {
      return archive.tensors().tensors().values().stream().mapToLong(TensorInfo::byteSize).sum();
    }
  }

  /** Of four inputs of each unit two stay, which cards have products for that are not used. */
  @Test
  void aCardMultipliesZerosAndSaysSo() {
    boolean[] kept = new boolean[150 * 70];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = i / 70 % 4 >= 2;
    }
    float[][] x = examples(5);
    EveryDevice.cards(
        card -> {
          try (Model model = model()) {
            assertThat(model.sparseKernels().wholeOn(card)).isNull();
            model.masks().set("dense_2/kernel", kept);
            assertThat(model.sparseKernels().wholeOn(Device.cpu())).isNull();
            assertThat(model.sparseKernels().wholeOn(card))
                .startsWith(card.name() + " multiplies kernels whole")
                .contains("is 0: dense_2/kernel. ", "2:4 needs cuSPARSELt", "Pruned channels");
            String twice =
                CapturedLog.of(
                    () -> {
                      model.predictor(1, 0, card).close();
                      model.predictor(2, 0, card).close();
                    });
            assertThat(twice)
                .containsPattern("WARN \\S*SparseKernels - ")
                .containsOnlyOnce("2:4 needs cuSPARSELt");
            try (Predictor predictor = model.predictor(5, 0, card)) {
              float[][] y = predictor.predict(x);
              for (int i = 0; i < y.length; i++) {
                double[] expected = reference(model, x[i]);
                for (int j = 0; j < expected.length; j++) {
                  assertThat((double) y[i][j]).isCloseTo(expected[j], within(1e-5));
                }
              }
            }
          }
        });
  }
}
