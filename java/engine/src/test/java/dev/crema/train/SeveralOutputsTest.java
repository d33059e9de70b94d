package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Example;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Regularizer;
import dev.crema.nn.Symbol;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training and measuring models with several outputs. */
class SeveralOutputsTest {
  @TempDir private Path folder;

  private static Trainer trainer(Model model) {
    return Trainer.of(model).optimizer(Optimizer.adam(0.02)).batchSize(16);
  }

  @Test
  void bothLossesFallAndEveryMetricHasTheNameOfItsOutput() throws IOException {
    Path log = folder.resolve("log.csv");
    try (Model model = TwoOutputs.model()) {
      History history =
          trainer(model)
              .epochs(60)
              .lossWeight("place", 0.5)
              .validation(TwoOutputs.data(20))
              .callback(EpochLog.csv(log))
              .fit(TwoOutputs.data());
      List<String> metrics =
          List.of(
              "loss",
              "kind_loss",
              "kind_accuracy",
              "place_loss",
              "val_loss",
              "val_kind_loss",
              "val_kind_accuracy",
              "val_place_loss",
              "val_place_mae",
              "val_place_r2",
              "learning_rate");
      assertThat(history.last().metrics().keySet()).containsExactlyElementsOf(metrics);
      assertThat(Files.readAllLines(log).get(0))
          .isEqualTo("epoch,seconds," + String.join(",", metrics));
      for (History.Epoch e : history.epochs()) {
        for (String part : List.of("", "val_")) {
          assertThat(e.metric(part + "loss"))
              .isCloseTo(
                  e.metric(part + "kind_loss") + 0.5 * e.metric(part + "place_loss"), within(1e-6));
        }
      }
      History.Epoch first = history.epochs().get(0);
      assertThat(history.last().metric("kind_loss")).isLessThan(first.metric("kind_loss") / 3);
      assertThat(history.last().metric("place_loss")).isLessThan(first.metric("place_loss") / 3);
      assertThat(history.last().metric("val_kind_accuracy")).isGreaterThan(0.85);
      assertThat(history.last().metric("val_place_r2")).isGreaterThan(0.7);
    }
  }

  private static float[] trained(Dataset data, boolean shuffle) {
    try (Model model = TwoOutputs.model()) {
      trainer(model).epochs(3).shuffle(shuffle).lossWeights(1, 0.3).fit(data);
      return TwoOutputs.parameters(model);
    }
  }

  @Test
  void targetsBelongToOutputsByTheirNamesOrElseByTheirOrder() {
    List<String> names = List.of("a", "b", "c");
    float[] expected = trained(TwoOutputs.data(), true);
    Dataset turned =
        Datasets.arrays()
            .input("x", TwoOutputs.X)
            .target("place", TwoOutputs.PLACE)
            .target("kind", TwoOutputs.KIND, names)
            .build();
    assertThat(trained(turned, true)).isEqualTo(expected);
    Dataset unnamed =
        Datasets.arrays()
            .input("x", TwoOutputs.X)
            .target("first", TwoOutputs.KIND, names)
            .target("second", TwoOutputs.PLACE)
            .build();
    assertThat(trained(unnamed, true)).isEqualTo(expected);
  }

  @Test
  void aStreamTrainsAsTheArraysDo() {
    Dataset data = TwoOutputs.data();
    Dataset stream =
        Datasets.streamOfSeveral(
            data.inputs(),
            data.targets(),
            List.of(data.classNames(0), List.of()),
            () ->
                IntStream.range(0, TwoOutputs.ROWS)
                    .mapToObj(
                        i ->
                            Example.of(
                                List.of(TwoOutputs.X[i]),
                                List.of(new float[] {TwoOutputs.KIND[i]}, TwoOutputs.PLACE[i])))
                    .iterator());
    assertThat(trained(stream, false)).isEqualTo(trained(data, false));
  }

  /** The model with one output of the two, of the same parameters. */
  private static Model only(Model both, String output) {
    Symbol x = Symbol.input("x", TwoOutputs.FEATURES);
    Symbol trunk = Dense.of(TwoOutputs.HIDDEN, Activation.TANH).named("trunk", x);
    Dense head =
        output.equals("kind")
            ? Dense.of(TwoOutputs.KINDS, Activation.SOFTMAX)
            : Dense.of(TwoOutputs.PLACES);
    Model model = Model.of(List.of(x), List.of(head.named(output, trunk)), 1);
    for (String path :
        List.of("trunk/kernel", "trunk/bias", output + "/kernel", output + "/bias")) {
      model.set(path, both.get(path));
    }
    return model;
  }

  private static Evaluation evaluate(Model model, Dataset data) {
    try (Evaluator evaluator = Evaluator.of(model, data)) {
      return evaluator.evaluate(data);
    }
  }

  @Test
  void everyOutputIsMeasuredAsByAModelOfThatOutputAlone() {
    try (Model model = TwoOutputs.model()) {
      trainer(model).epochs(5).lossWeights(2, 0.5).fit(TwoOutputs.data());
      Evaluation both = evaluate(model, TwoOutputs.data());
      try (Model kind = only(model, "kind");
          Model place = only(model, "place")) {
        Evaluation kinds = evaluate(kind, TwoOutputs.kinds(TwoOutputs.ROWS));
        Evaluation places = evaluate(place, TwoOutputs.places(TwoOutputs.ROWS));
        assertThat(both.outputs().keySet()).containsExactly("kind", "place");
        assertThat(both.outputs().get("kind").toJson()).isEqualTo(kinds.toJson());
        assertThat(both.outputs().get("place").toJson()).isEqualTo(places.toJson());
        assertThat(both.loss()).isCloseTo(2 * kinds.loss() + 0.5 * places.loss(), within(1e-6));
        assertThat(both.examples()).isEqualTo(TwoOutputs.ROWS);
        assertThat(both.mainMetrics())
            .containsEntry("kind_loss", kinds.loss())
            .containsEntry("kind_accuracy", kinds.classification().accuracy())
            .containsEntry("place_mae", places.regression().mae());
        assertThat(both.classification()).isNull();
        assertThat(both.toJson().at("/outputs/place/regression"))
            .isEqualTo(places.toJson().get("regression"));
        assertThat(both.toString())
            .contains("Output 'kind': loss", "precision", "Output 'place': loss", "MAE");
      }
    }
  }

  @Test
  void aSavedModelKnowsItsLossesAndWeights() {
    try (Model model = TwoOutputs.model()) {
      trainer(model).epochs(2).loss("place", Losses.huber(0.5), 3).fit(TwoOutputs.data());
      Evaluation before = evaluate(model, TwoOutputs.data());
      model.save(folder.resolve("model"));
      try (Model loaded = Model.load(folder.resolve("model"))) {
        assertThat(evaluate(loaded, TwoOutputs.data()).toJson()).isEqualTo(before.toJson());
        assertThat(loaded.metadata().at("/losses/place/loss").asText()).isEqualTo("huber:0.5");
        assertThat(before.loss())
            .isCloseTo(
                before.outputs().get("kind").loss() + 3 * before.outputs().get("place").loss(),
                within(1e-6));
      }
    }
  }

  @Test
  void ofOutputsThatWereNotTrainedNoTargetIsAsked() {
    try (Model model = TwoOutputs.model()) {
      History history =
          trainer(model).outputs("kind").epochs(2).fit(TwoOutputs.kinds(TwoOutputs.ROWS));
      assertThat(history.last().metrics()).containsOnlyKeys("loss", "accuracy", "learning_rate");
      Evaluation e = evaluate(model, TwoOutputs.kinds(TwoOutputs.ROWS));
      assertThat(e.classification()).isNotNull();
      assertThat(e.outputs()).isEmpty();
    }
  }

  private record Outcome(float[] parameters, History history) {}

  private Outcome train(String name, int epochs, boolean resume) {
    try (Model model = TwoOutputs.model()) {
      History history =
          trainer(model)
              .epochs(epochs)
              .lossWeight("place", 0.5)
              .classWeights("kind", 1, 2, 0.5f)
              .accumulate(2)
              .validation(TwoOutputs.data(20))
              .callback(EarlyStopping.minimise("val_place_loss", 4).minDelta(0.01))
              .callback(new ReduceOnPlateau("val_kind_loss", 0.5, 1))
              .checkpoint(folder.resolve(name))
              .resume(resume)
              .fit(TwoOutputs.data());
      return new Outcome(TwoOutputs.parameters(model), history);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 9})
  void aResumedTrainingEqualsOneThatNeverStopped(int stopAt) {
    Outcome whole = train("whole", 80, false);
    assertThat(whole.history.epochs()).as("it stops early").hasSizeBetween(10, 79);
    train("parts", stopAt, false);
    Outcome resumed = train("parts", 80, true);
    assertThat(resumed.parameters).isEqualTo(whole.parameters);
    for (String metric : whole.history.last().metrics().keySet()) {
      assertThat(resumed.history.series(metric)).isEqualTo(whole.history.series(metric));
    }
  }

  @Test
  void classWeightsOfAnOutputCountInItsLossAlone() {
    try (Model model = TwoOutputs.model();
        Model kind = only(model, "kind")) {
      History both =
          trainer(model)
              .epochs(1)
              .batchSize(TwoOutputs.ROWS)
              .classWeights("kind", 1, 5, 0.25f)
              .fit(TwoOutputs.data());
      History alone =
          trainer(kind)
              .epochs(1)
              .batchSize(TwoOutputs.ROWS)
              .classWeights(1, 5, 0.25f)
              .fit(TwoOutputs.kinds(TwoOutputs.ROWS));
      assertThat(both.last().metric("kind_loss")).isEqualTo(alone.last().metric("loss"));
    }
  }

  @Test
  void penaltiesCountOnceInTheSum() {
    Symbol x = Symbol.input("x", TwoOutputs.FEATURES);
    Symbol kind =
        Dense.of(TwoOutputs.KINDS, Activation.SOFTMAX)
            .withKernelRegularizer(Regularizer.l2(0.1))
            .named("kind", x);
    Symbol place = Dense.of(TwoOutputs.PLACES).named("place", x);
    try (Model model = Model.of(List.of(x), List.of(kind, place), 1)) {
      double penalty = 0;
      for (float w : model.get("kind/kernel")) {
        penalty += 0.1 * w * w;
      }
      History.Epoch e =
          trainer(model).epochs(1).batchSize(TwoOutputs.ROWS).fit(TwoOutputs.data()).last();
      assertThat(e.metric("loss"))
          .isCloseTo(e.metric("kind_loss") + e.metric("place_loss") + penalty, within(1e-6));
    }
  }

  @Test
  void anOutputMayBeAnInputOfAnother() {
    Symbol x = Symbol.input("x", TwoOutputs.FEATURES);
    Symbol place = Dense.of(TwoOutputs.PLACES).named("place", x);
    Symbol kind = Dense.of(TwoOutputs.KINDS, Activation.SOFTMAX).named("kind", place);
    try (Model model = Model.of(List.of(x), List.of(place, kind), 1)) {
      History history = trainer(model).epochs(30).fit(TwoOutputs.data());
      double[] places = history.series("place_loss");
      double[] kinds = history.series("kind_loss");
      assertThat(places[29]).isLessThan(places[0] / 2);
      assertThat(kinds[29]).isLessThan(kinds[0] / 1.5);
    }
  }

  @Test
  void batchesThatTheCallerBringsGiveWhatFitGives() {
    int rows = 16;
    try (Model fitted = TwoOutputs.model();
        Model stepped = TwoOutputs.model();
        BatchTrainer batches =
            trainer(stepped)
                .loss("kind", Losses.sparseCategoricalCrossentropy())
                .loss("place", Losses.meanSquaredError(), 0.3)
                .batches(rows)) {
      History history =
          trainer(fitted)
              .epochs(5)
              .shuffle(false)
              .lossWeight("place", 0.3)
              .fit(TwoOutputs.data(rows));
      FloatBuffer x = batches.input(0).asFloatBuffer();
      Arrays.stream(TwoOutputs.X, 0, rows).forEach(x::put);
      batches.target("kind").asIntBuffer().put(TwoOutputs.KIND, 0, rows);
      FloatBuffer places = batches.target("place").asFloatBuffer();
      Arrays.stream(TwoOutputs.PLACE, 0, rows).forEach(places::put);
      for (int i = 0; i < 5; i++) {
        float loss = batches.run(rows);
        assertThat((double) loss).isEqualTo(history.series("loss")[i]);
        assertThat((double) batches.loss("kind")).isEqualTo(history.series("kind_loss")[i]);
        assertThat((double) batches.loss("place")).isEqualTo(history.series("place_loss")[i]);
      }
      assertThat(TwoOutputs.parameters(stepped)).isEqualTo(TwoOutputs.parameters(fitted));
    }
  }
}
