package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Regularizer;
import dev.crema.train.BatchTrainer;
import dev.crema.train.Callback;
import dev.crema.train.EarlyStopping;
import dev.crema.train.History;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import dev.crema.train.Training;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pruned weights are exactly 0 after every step of any training. */
class PruningTrainingTest {
  private static final int FEATURES = 6;
  private static final int DEAD = 2; // a feature
  private static final float[][] X = new float[60][FEATURES];
  private static final int[] Y = new int[X.length];

  static {
    Random random = new Random(4);
    for (int i = 0; i < X.length; i++) {
      for (int j = 0; j < FEATURES; j++) {
        X[i][j] = (float) random.nextGaussian();
      }
      Y[i] = X[i][0] * X[i][1] > 0 ? 1 : 0;
    }
  }

  private static final Dataset DATA = Datasets.of(X, Y);

  @TempDir private Path folder;

  private static Model model() {
    return Model.sequential(FEATURES)
        .add(Dense.of(17, Activation.TANH).withKernelRegularizer(new Regularizer(1e-3, 1e-3)))
        .dense(2, Activation.SOFTMAX)
        .build(1);
  }

  static Stream<Optimizer> optimizers() {
    return Optimizer.NAMES.stream().map(name -> Optimizer.of(name, 0.02));
  }

  private static Trainer trainer(Model model, Optimizer optimizer) {
    return Trainer.of(model)
        .optimizer(optimizer)
        .batchSize(8)
        .epochs(5)
        .clipNorm(0.5)
        .accumulate(2);
  }

  /** Requires zeros where the masks say so, in every step. */
  private static final class Watch implements Callback {
    private final List<Double> sparsities = new ArrayList<>();

    @Override
    public void onStepEnd(Training training, long step, float loss) {
      sparsities.add(Sparsity.of(training.model()).row("dense_1/kernel").sparsity());
      requireZeros(training.model());
    }
  }

  private static void requireZeros(Model model) {
    for (String path : model.masks().paths()) {
      boolean[] kept = model.masks().get(path);
      float[] w = model.get(path);
      for (int i = 0; i < w.length; i++) {
        if (!kept[i] && Float.floatToRawIntBits(w[i]) != 0) {
          throw new AssertionError(path + "[" + i + "] is " + w[i]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void momentumRevivesNoWeightThatIsPrunedOnTheWay(Optimizer optimizer) {
    Watch watch = new Watch();
    SparsitySchedule schedule = SparsitySchedule.polynomial(0.3, 0.8, 4, 16).every(3);
    try (Model model = model()) {
      trainer(model, optimizer)
          .callback(Pruner.magnitude().during(schedule))
          .callback(watch)
          .fit(DATA);
      assertThat(watch.sparsities).hasSize(40); // 8 batches of 5 epochs, an update for each 2
      for (int i = 0; i < 40; i++) {
        long step = (i + 1) / 2;
        long pruned = step > 16 ? 16 : step - (step - 4) % 3; // at 4, 7, 10, 13, 16
        double expected = step < 4 ? 0 : schedule.at(pruned);
        assertThat(watch.sparsities.get(i)).as("step %s", step).isCloseTo(expected, within(0.005));
      }
      assertThat(Sparsity.of(model).row("dense_1/bias").pruned()).isZero();
      for (Parameter p : model.table().all()) {
        for (float w : model.get(p.path())) {
          assertThat(w).isFinite();
        }
      }
    }
  }

  /** The weights of one feature are pruned: as if the feature was 0 and had no weights. */
  @ParameterizedTest
  @MethodSource("optimizers")
  void theOtherWeightsTrainToTheBitAsIfThePrunedOnesDidNotExist(Optimizer optimizer) {
    float[][] without = new float[X.length][];
    for (int i = 0; i < X.length; i++) {
      without[i] = X[i].clone();
      without[i][DEAD] = 0;
    }
    try (Model pruned = model();
        Model reference = model()) {
      boolean[] kept = new boolean[FEATURES * 17];
      float[] zeroed = reference.get("dense_1/kernel");
      for (int i = 0; i < kept.length; i++) {
        kept[i] = i / 17 != DEAD;
        zeroed[i] = kept[i] ? zeroed[i] : 0;
      }
      reference.set("dense_1/kernel", zeroed);
      pruned.masks().set("dense_1/kernel", kept);
      trainer(pruned, optimizer).clipValue(0.3).fit(DATA);
      trainer(reference, optimizer).clipValue(0.3).fit(Datasets.of(without, Y));
      for (Parameter p : pruned.table().all()) {
        assertThat(pruned.get(p.path())).as(p.path()).isEqualTo(reference.get(p.path()));
      }
      assertThat(pruned.get("dense_1/kernel")).isNotEqualTo(zeroed);
    }
  }

  @Test
  void aPrunedModelIsFineTunedByBatchesTooAndMayBePrunedMeanwhile() {
    try (Model model = model()) {
      Pruner.magnitude().prune(model, 0.5);
      float[] before = model.get("dense_1/kernel");
      try (BatchTrainer batches =
          Trainer.of(model)
              .loss(Losses.sparseCategoricalCrossentropy())
              .optimizer(Optimizer.of("momentum", 0.1))
              .batches(4)) {
        float[] x = {1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1};
        for (int i = 0; i < 5; i++) {
          batches.step(x, new int[] {0, 1}, 2);
        }
        requireZeros(model);
        Pruner.magnitude().prune(model, 0.8);
        for (int i = 0; i < 5; i++) {
          batches.step(x, new int[] {0, 1}, 2);
        }
      }
      requireZeros(model);
      assertThat(model.get("dense_1/kernel")).isNotEqualTo(before);
      assertThat(Sparsity.of(model).row("dense_1/kernel").pruned()).isEqualTo(82);
    }
  }

  private static Callback pruning() {
    return Pruner.magnitude()
        .scope(Scope.GLOBAL)
        .during(SparsitySchedule.polynomial(0.2, 0.9, 2, 30).every(4));
  }

  private float[][] train(String name, int epochs, boolean resume, Callback callback) {
    try (Model model = model()) {
      History history =
          Trainer.of(model)
              .optimizer(Optimizer.adam(0.05))
              .batchSize(8)
              .epochs(epochs)
              .callback(callback)
              .checkpoint(folder.resolve(name))
              .resume(resume)
              .fit(DATA);
      requireZeros(model);
      float[] losses = new float[epochs];
      for (int i = 0; i < epochs; i++) {
        losses[i] = (float) history.series("loss")[i];
      }
      return new float[][] {model.get("dense_1/kernel"), model.get("dense_2/kernel"), losses};
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5}) // steps 8, 16, 24, 40: between prunings, and after the last
  void aResumedPruningEqualsOneThatNeverStopped(int stopAt) {
    float[][] whole = train("whole", 7, false, pruning());
    train("parts", stopAt, false, pruning());
    float[][] resumed = train("parts", 7, true, pruning());
    assertThat(resumed).isDeepEqualTo(whole);
  }

  @Test
  void aCheckpointOfAnotherPruningIsRefused() {
    train("x", 1, false, pruning());
    assertThatThrownBy(() -> train("x", 2, true, new Watch()))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("masks [dense_1/kernel, dense_2/kernel], now none");
    SparsitySchedule other = SparsitySchedule.polynomial(0.2, 0.95, 2, 30).every(4);
    assertThatThrownBy(
            () -> train("x", 2, true, Pruner.magnitude().scope(Scope.GLOBAL).during(other)))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("0.2 to 0.9, steps 2 to 30, every 4, now 0.2 to 0.95");
    Callback perLayer =
        Pruner.magnitude().during(SparsitySchedule.polynomial(0.2, 0.9, 2, 30).every(4));
    assertThatThrownBy(() -> train("x", 2, true, perLayer))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("another pattern, scope or other layers");
  }

  @Test
  void theBestEpochOfEarlyStoppingIsPrunedToo() {
    try (Model model = model()) {
      Callback late = Pruner.magnitude().during(SparsitySchedule.constant(0.5, 20));
      Callback never = EarlyStopping.minimise("loss", 9).minDelta(1e9); // the first epoch is best
      Trainer.of(model).batchSize(8).epochs(4).callback(late).callback(never).fit(DATA);
      requireZeros(model);
      assertThat(Sparsity.of(model).row("dense_1/kernel").sparsity()).isEqualTo(0.5);
      assertThat(Sparsity.of(model).row("dense_1/kernel").zeros()).isEqualTo(51);
    }
  }

  @Test
  void weightsThatBecomeNotANumberAreNamed() {
    try (Model model = model()) {
      Callback poison =
          new Callback() {
            @Override
            public void onTrainingBegin(Training training) {
              float[] w = model.get("dense_2/kernel");
              w[0] = Float.NaN;
              model.set("dense_2/kernel", w);
            }
          };
      Callback pruning = Pruner.magnitude().during(SparsitySchedule.constant(0.5));
      assertThatThrownBy(() -> Trainer.of(model).callback(poison).callback(pruning).fit(DATA))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("dense_2/kernel cannot be ranked");
    }
  }

  @Test
  void schedulesFollowTheCubeAndEndExactly() {
    SparsitySchedule s = SparsitySchedule.polynomial(0.5, 0.9, 100, 300).every(50);
    assertThat(s.at(99)).isZero();
    assertThat(s.at(100)).isEqualTo(0.5);
    assertThat(s.at(200)).isCloseTo(0.9 - 0.4 / 8, within(1e-12));
    assertThat(s.at(300)).isEqualTo(0.9);
    assertThat(s.at(10_000)).isEqualTo(0.9);
    assertThat(Stream.iterate(0L, t -> t + 1).limit(400).filter(s::prunesAt))
        .containsExactly(100L, 150L, 200L, 250L, 300L);
    SparsitySchedule uneven = s.every(70);
    assertThat(Stream.iterate(0L, t -> t + 1).limit(400).filter(uneven::prunesAt))
        .containsExactly(100L, 170L, 240L, 300L);
    assertThat(SparsitySchedule.constant(0.5).prunesAt(0)).isTrue();
    for (double initial : new double[] {-0.1, 0.95, Double.NaN}) {
      assertThatThrownBy(() -> SparsitySchedule.polynomial(initial, 0.9, 0, 10))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("initial sparsity");
    }
    assertThatThrownBy(() -> SparsitySchedule.polynomial(0, 0.9, 10, 9))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> s.every(0)).isInstanceOf(IllegalArgumentException.class);
  }
}
