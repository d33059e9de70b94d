package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Example;
import dev.crema.data.IndexedDataset;
import dev.crema.graph.Node;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.nn.Activation;
import dev.crema.nn.Layer;
import dev.crema.nn.LayerContext;
import dev.crema.nn.Model;
import dev.crema.op.Relu;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A resumed training equals one that never stopped, to the bit. */
class ResumeTest {
  private static final float[][] X = new float[101][3];
  private static final int[] Y = new int[X.length];
  private static final IndexedDataset TRAIN;
  private static final IndexedDataset HELD;

  static {
    Random random = new Random(2);
    for (int i = 0; i < X.length; i++) {
      for (int j = 0; j < 3; j++) {
        X[i][j] = (float) random.nextGaussian();
      }
      // A third of the labels is noise, so that the validation loss rises again.
      Y[i] = random.nextInt(3) == 0 ? random.nextInt(2) : X[i][0] > X[i][1] ? 1 : 0;
    }
    IndexedDataset all = Datasets.of(X, Y);
    TRAIN = all.subset(IntStream.range(0, 60).toArray());
    HELD = all.subset(IntStream.range(60, X.length).toArray());
  }

  @TempDir private Path folder;

  private record Outcome(float[] kernel, double[] losses, double[] rates, int epochs) {}

  private static Model model() {
    return Model.sequential(3).dense(24, Activation.TANH).dense(2, Activation.SOFTMAX).build(1);
  }

  private Outcome train(String name, int epochs, boolean resume, Callback... callbacks) {
    try (Model model = model()) {
      Trainer trainer =
          Trainer.of(model)
              .optimizer(Optimizer.adam(0.05))
              .epochs(epochs)
              .batchSize(8)
              .validation(HELD)
              .checkpoint(folder.resolve(name))
              .resume(resume);
      for (Callback c : callbacks) {
        trainer.callback(c);
      }
      History history = trainer.fit(TRAIN);
      String kernel = model.table().all().iterator().next().path();
      return new Outcome(
          model.get(kernel),
          history.series("val_loss"),
          history.series("learning_rate"),
          history.epochs().size());
    }
  }

  private static Callback[] watchers() {
    return new Callback[] {
      EarlyStopping.minimise("val_loss", 6), new ReduceOnPlateau("val_loss", 0.5, 2)
    };
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 7, 8, 9})
  void earlyStoppingAndTheLearningRateGoOnWhereTheyWere(int stopAt) {
    Outcome whole = train("whole", 40, false, watchers());
    assertThat(whole.epochs)
        .as("it stops early, after more than the interruption")
        .isBetween(8, 39);
    assertThat(whole.rates).as("the rate was reduced").doesNotContain(0.0).contains(0.025);

    train("parts", stopAt, false, watchers());
    Outcome resumed = train("parts", 40, true, watchers());
    assertThat(resumed.losses).isEqualTo(whole.losses);
    assertThat(resumed.rates).isEqualTo(whole.rates);
    assertThat(resumed.kernel).isEqualTo(whole.kernel);
  }

  @Test
  void aTrainingThatHadStoppedEarlyStaysStopped() {
    Outcome whole = train("whole", 40, false, watchers());
    Outcome again = train("whole", 40, true, watchers());
    assertThat(again.epochs).isEqualTo(whole.epochs);
    assertThat(again.kernel).isEqualTo(whole.kernel);
    Outcome longer =
        train(
            "whole",
            40,
            true,
            EarlyStopping.minimise("val_loss", 9),
            new ReduceOnPlateau("val_loss", 0.5, 2));
    assertThat(longer.epochs).as("more patience").isGreaterThan(whole.epochs);
  }

  @Test
  void patienceBeginsWithTheFirstEpochThatIsWatched() {
    train("x", 5, false);
    Callback never = EarlyStopping.minimise("val_loss", 3).minDelta(Double.POSITIVE_INFINITY);
    Outcome watched = train("x", 20, true, never);
    assertThat(watched.epochs).isEqualTo(8);
    Outcome unwatched = train("y", 8, false);
    assertThat(watched.kernel).as("no epoch was best: the last stays").isEqualTo(unwatched.kernel);
  }

  @Test
  void callbacksMayBeReusedForAnotherTraining() {
    Callback[] callbacks = watchers();
    Outcome first = train("first", 40, false, callbacks);
    Outcome second = train("second", 40, false, callbacks);
    assertThat(second.losses).isEqualTo(first.losses);
    assertThat(second.kernel).isEqualTo(first.kernel);
  }

  @Test
  void aWatcherOfAMetricThatIsNotThereSaysSo() {
    assertThatThrownBy(() -> train("x", 1, false, new ReduceOnPlateau("val_mae", 0.5, 1)))
        .hasMessageContaining("'val_mae'")
        .hasMessageContaining("val_loss");
  }

  @Test
  void aCheckpointIsFoundAlsoWhereASaveWasKilledBetweenItsRenames() throws IOException {
    Outcome whole = train("whole", 4, false);
    train("killed", 2, false);
    String aside = ".killed." + System.currentTimeMillis() + "-12345678-1234-12345678.crema-old";
    Files.move(folder.resolve("killed"), folder.resolve(aside));
    Outcome resumed = train("killed", 4, true);
    assertThat(resumed.kernel()).isEqualTo(whole.kernel());
    assertThat(resumed.losses()).isEqualTo(whole.losses());
  }

  @Test
  void aCheckpointMayBeAZip() {
    Outcome whole = train("whole.zip", 4, false);
    train("part.zip", 2, false);
    long[] trained = new long[1];
    Callback counts =
        new Callback() {
          @Override
          public void onEpochEnd(Training training, History.Epoch epoch) {
            trained[0]++;
          }
        };
    Outcome resumed = train("part.zip", 4, true, counts);
    assertThat(resumed.kernel()).isEqualTo(whole.kernel());
    assertThat(trained[0]).as("epochs after the resume").isEqualTo(2);
  }

  /** One that no file can hold. */
  private record Own() implements Layer {
    @Override
    public Node build(LayerContext context, List<Node> inputs) {
      return inputs.get(0).then(new Relu());
    }
  }

  @Test
  void whatCanNotBeWrittenIsRefusedBeforeTheFirstEpoch() throws IOException {
    Callback trains =
        new Callback() {
          @Override
          public void onStepEnd(Training training, long step, float loss) {
            throw new AssertionError("it trains");
          }
        };
    try (Model own = Model.sequential(3).add(new Own()).dense(2, Activation.SOFTMAX).build(1)) {
      Trainer trainer = Trainer.of(own).checkpoint(folder.resolve("own")).callback(trains);
      assertThatThrownBy(() -> trainer.fit(TRAIN))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("is not one of Crema's layers");
    }
    Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(() -> train("file", 1, false, trains))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("it is a file");
    assertThatThrownBy(() -> train("file/below", 1, false, trains))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("is a file, not a folder");
  }

  @Test
  void aModelThatIsNoCheckpointIsNotWrittenOver() {
    Path place = folder.resolve("precious");
    try (Model model = model()) {
      model.save(place);
    }
    assertThatThrownBy(() -> train("precious", 1, true))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("holds a model but not what its training goes on from");
    try (Model kept = Model.load(place);
        Model same = model()) {
      assertThat(kept.get("dense_1/kernel")).isEqualTo(same.get("dense_1/kernel"));
    }
  }

  @Test
  void otherSettingsThanTheCheckpointsAreRefused() {
    train("x", 1, false);
    try (Model model = model()) {
      assertThatThrownBy(
              () ->
                  Trainer.of(model)
                      .loss(Losses.klDivergence())
                      .optimizer(Optimizer.adam(0.05))
                      .batchSize(8)
                      .checkpoint(folder.resolve("x"))
                      .resume(true)
                      .fit(TRAIN))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("kl_divergence");
    }
  }

  @Test
  void ofAStreamTheLastGradientsOfAnEpochCountInThatEpoch() {
    Dataset stream =
        Datasets.stream(
            List.of(new Dataset.Slot("x", ElementType.FLOAT32, Shape.of(3))),
            new Dataset.Slot("y", ElementType.INT32, Shape.of()),
            List.of("0", "1"),
            () ->
                IntStream.range(0, X.length)
                    .mapToObj(i -> Example.classified(X[i], Y[i]))
                    .iterator());
    // 13 batches of 8: three updates of 4 batches and one of the last batch alone.
    assertThat(accumulated(stream)).isEqualTo(accumulated(Datasets.of(X, Y)));
  }

  private float[] accumulated(Dataset data) {
    long[] steps = new long[1];
    try (Model model = model()) {
      Trainer.of(model)
          .batchSize(8)
          .accumulate(4)
          .shuffle(false)
          .epochs(3)
          .callback(
              new Callback() {
                @Override
                public void onEpochEnd(Training training, History.Epoch epoch) {
                  steps[0] = training.steps();
                  assertThat(training.steps()).isEqualTo(4L * epoch.epoch());
                }
              })
          .fit(data);
      assertThat(steps[0]).isEqualTo(12);
      return model.get(model.table().all().iterator().next().path());
    }
  }
}
