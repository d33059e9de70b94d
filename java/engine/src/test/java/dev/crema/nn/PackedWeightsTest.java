package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.memory.Buffer;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Predictors of batches pack weights; whatever changes the weights must show all the same. */
class PackedWeightsTest {
  private static final int IN = 40;
  private static final int OUT = 3;
  private static final int ROWS = 9;

  private static Model model() {
    return Model.sequential(IN).dense(33, Activation.RELU).dense(50).dense(OUT).build(5);
  }

  private static float[] random(long seed, int n) {
    Random random = new Random(seed);
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private static final float[] EXAMPLES = random(1, ROWS * IN);

  /** Row by row, which reads the weights as they lie. */
  private static float[] rowByRow(Model model) {
    float[] all = new float[ROWS * OUT];
    float[] one = new float[OUT];
    float[] x = new float[IN];
    try (Predictor single = model.predictor(1)) {
      for (int r = 0; r < ROWS; r++) {
        System.arraycopy(EXAMPLES, r * IN, x, 0, IN);
        single.predict(x, one);
        System.arraycopy(one, 0, all, r * OUT, OUT);
      }
    }
    return all;
  }

  private static void requireCurrent(Predictor predictor, Model model) {
    float[] actual = new float[ROWS * OUT];
    predictor.predict(EXAMPLES, actual, ROWS);
    float[] expected = rowByRow(model);
    for (int i = 0; i < actual.length; i++) {
      // Sums of up to 50 products near 1, in another order.
      assertThat(Math.abs(actual[i] - expected[i])).isLessThan(1e-5f);
    }
  }

  private static long packings(Predictor predictor) {
    return predictor.plan().instructions().stream()
        .map(Instruction::kernel)
        .filter("pack_weights"::equals)
        .count();
  }

  @Test
  void everyInstructionSetAndThreadCountPredictsTheSame() {
    try (Model model = model()) {
      for (Device device : CpuDevice.levels()) {
        for (int threads : new int[] {1, 2, 3}) {
          try (Predictor predictor = model.predictor(16, threads, device)) {
            assertThat(packings(predictor)).isEqualTo(3);
            requireCurrent(predictor, model);
          }
        }
      }
    }
  }

  @Test
  void fewRowsReadTheWeightsAsTheyLie() {
    try (Model model = model();
        Predictor predictor = model.predictor(4)) {
      assertThat(packings(predictor)).isZero();
    }
  }

  @Test
  void aLayerThatIsUsedTwiceIsPackedOnce() {
    Dense shared = Dense.of(IN);
    Symbol x = Symbol.input("x", IN);
    Symbol y = x.then(shared).then(shared);
    try (Model model = Model.of(List.of(x), List.of(y), 3);
        Predictor predictor = model.predictor(16)) {
      assertThat(packings(predictor)).isEqualTo(1);
      float[] batch = new float[ROWS * IN];
      predictor.predict(EXAMPLES, batch, ROWS);
      float[] one = new float[IN];
      System.arraycopy(EXAMPLES, 0, one, 0, IN);
      float[] single = model.predict(one);
      for (int i = 0; i < IN; i++) {
        assertThat(Math.abs(batch[i] - single[i])).isLessThan(1e-4f);
      }
    }
  }

  @Test
  void newValuesShow(@TempDir Path folder) {
    try (Model model = model();
        Model other =
            Model.sequential(IN).dense(33, Activation.RELU).dense(50).dense(OUT).build(6);
        Predictor predictor = model.predictor(16)) {
      requireCurrent(predictor, model);
      model.set("dense_1/kernel", random(2, IN * 33));
      requireCurrent(predictor, model);
      model.parameters().copyFrom(0, other.parameters(), 0, other.parameters().byteSize());
      requireCurrent(predictor, model);
      try (Model saved = model()) {
        saved.exportTensors(folder.resolve("weights.safetensors"));
      }
      model.importTensors(folder.resolve("weights.safetensors"), path -> path);
      requireCurrent(predictor, model);
    }
  }

  @Test
  void whatIsWrittenThroughAViewShowsWhileTheViewLivesAndAfterIt() throws InterruptedException {
    try (Model model = model();
        Predictor predictor = model.predictor(16)) {
      requireCurrent(predictor, model);
      FloatBuffer view = model.parameters().floats();
      for (int i = 0; i < 3; i++) {
        view.put(i, view.get(i) + 1);
        requireCurrent(predictor, model);
      }
      view.put(7, 3f);
      view = null;
      for (int i = 0; i < 100 && model.parameters().version() < 0; i++) {
        System.gc();
        Thread.sleep(20);
      }
      assertThat(model.parameters().version()).isNotNegative();
      requireCurrent(predictor, model);
    }
  }

  @Test
  void trainingShows() {
    int n = 64;
    Dataset data = Datasets.regression(rows(random(3, n * IN), n), rows(random(4, n * OUT), n));
    try (Model model = model();
        Predictor predictor = model.predictor(16)) {
      requireCurrent(predictor, model);
      float[] before = model.get("dense_2/kernel");
      Trainer.of(model).optimizer(Optimizer.adam(0.05)).epochs(2).fit(data);
      assertThat(model.get("dense_2/kernel")).isNotEqualTo(before);
      requireCurrent(predictor, model);
    }
  }

  private static float[][] rows(float[] flat, int n) {
    float[][] rows = new float[n][flat.length / n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(flat, i * rows[0].length, rows[i], 0, rows[0].length);
    }
    return rows;
  }

  @Test
  void predictorsOfAModelShareThePackedWeightsAndKeepThemWhenItIsClosed() {
    Model model = Model.sequential(256).dense(256).build(5);
    try (Predictor first = model.predictor(8)) {
      long one = Buffer.allocatedBytes();
      Predictor second = model.predictor(8);
      assertThat(Buffer.allocatedBytes() - one).isLessThan(4L * 256 * 256);
      model.close();
      second.predict(new float[8 * 256], new float[8 * 256], 8);
      second.close();
      float[] y = new float[8 * 256];
      first.predict(new float[8 * 256], y, 8);
      assertThat(y).containsOnly(0f); // zeros in, no bias yet
    }
  }

  @Test
  void theLastPredictorGivesThemBack() {
    try (Model model = model()) {
      long before = Buffer.allocatedBytes();
      Predictor first = model.predictor(16);
      Predictor second = model.predictor(16);
      first.close();
      first.close();
      requireCurrent(second, model);
      second.close();
      assertThat(Buffer.allocatedBytes()).isEqualTo(before);
    }
  }
}
