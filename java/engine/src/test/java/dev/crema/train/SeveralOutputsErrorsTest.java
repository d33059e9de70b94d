package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import java.util.List;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What does not fit a model with several outputs is refused with what was expected. */
class SeveralOutputsErrorsTest {
  private static AbstractThrowableAssert<?, ? extends Throwable> refused(
      Consumer<Trainer> settings, Dataset data) {
    try (Model model = TwoOutputs.model()) {
      return assertThatThrownBy(
              () -> {
                Trainer trainer = Trainer.of(model).epochs(1);
                settings.accept(trainer);
                trainer.fit(data);
              })
          .isInstanceOf(CremaException.class);
    }
  }

  private static Dataset with(String first, String second) {
    return Datasets.arrays()
        .input("x", TwoOutputs.X)
        .target(first, TwoOutputs.KIND)
        .target(second, TwoOutputs.PLACE)
        .build();
  }

  @Test
  void aTargetForEachOutputIsNeeded() {
    refused(t -> {}, TwoOutputs.kinds(9))
        .hasMessage(
            "Expected a target for each of the outputs [kind, place], the data has 1 [y]. Give the"
                + " data a target for each output (Datasets.arrays), or say with Trainer.outputs"
                + " which outputs to train.");
    refused(t -> t.outputs("kind"), TwoOutputs.data())
        .hasMessageContaining("the output [kind], the data has 2 [kind, place]");
    refused(t -> {}, Datasets.unlabelled(TwoOutputs.X)).hasMessageContaining("has no target");
    try (Model one = Model.sequential(3).dense(3, Activation.SOFTMAX).build(1)) {
      assertThatThrownBy(() -> Trainer.of(one).fit(TwoOutputs.data()))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("the output [dense_1], the data has 2 [kind, place]");
    }
  }

  @Test
  void targetsAreAllNamedAsOutputsOrNone() {
    refused(t -> {}, with("kind", "position"))
        .hasMessage(
            "Output 'place' has no target: the data has [kind, position], the outputs are [kind,"
                + " place]. Name the targets as the outputs, or none of them to go by their order.");
  }

  @Test
  void anOutputThatIsNotThereIsNamed() {
    refused(t -> t.loss("colour", Losses.meanSquaredError()), TwoOutputs.data())
        .hasMessage("This model has no output 'colour'; it has [kind, place]");
    refused(t -> t.lossWeight("trunk", 1), TwoOutputs.data()).hasMessageContaining("'trunk'");
    refused(t -> t.classWeights("x", 1, 2), TwoOutputs.data()).hasMessageContaining("'x'");
    refused(t -> t.outputs("kind", "y"), TwoOutputs.data()).hasMessageContaining("'y'");
    refused(t -> t.outputs("kind", "kind"), TwoOutputs.data()).hasMessageContaining("each once");
    refused(Trainer::outputs, TwoOutputs.data()).hasMessageContaining("got []");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, -0.5, Double.POSITIVE_INFINITY})
  void aWeightIsAFiniteNumberOfAtLeastZero(double weight) {
    refused(t -> t.lossWeight("place", weight), TwoOutputs.data())
        .hasMessage(
            "The weight of the loss of 'place' must be a finite number of at least 0, got "
                + weight);
    refused(t -> t.lossWeights(1, weight), TwoOutputs.data()).hasMessageContaining("'place'");
    refused(t -> t.loss("kind", Losses.klDivergence(), weight), TwoOutputs.data())
        .hasMessageContaining("'kind'");
  }

  @Test
  void oneWeightIsAboveZero() {
    refused(t -> t.lossWeights(0, 0), TwoOutputs.data()).hasMessageContaining("weight 0");
  }

  @Test
  void listsHaveAnEntryForEachOutput() {
    refused(t -> t.losses(Losses.meanSquaredError()), TwoOutputs.data())
        .hasMessage("Expected losses for each of the model's outputs [kind, place], got 1");
    refused(t -> t.lossWeights(1, 2, 3), TwoOutputs.data())
        .hasMessageContaining("weights of losses")
        .hasMessageContaining("got 3");
  }

  @Test
  void aLossThatDoesNotFitNamesItsOutput() {
    refused(t -> t.loss("kind", Losses.meanSquaredError()), TwoOutputs.data())
        .hasMessageStartingWith("Output 'kind': mean_squared_error expects a number (float32)")
        .hasMessageContaining("[n, 3]")
        .hasMessageContaining("[n] int32");
    refused(t -> t.loss(Losses.hinge()), TwoOutputs.data())
        .hasMessageStartingWith("Output 'kind': hinge takes class numbers for");
    refused(t -> t.classWeights("place", 1, 2), TwoOutputs.data())
        .hasMessage(
            "Output 'place': Class weights make no sense for a regression (mean_squared_error)");
  }

  @Test
  void targetsOfAnotherShapeOrTypeNameTheirOutput() {
    Dataset wide =
        Datasets.arrays()
            .input("x", TwoOutputs.X)
            .target("kind", TwoOutputs.KIND)
            .target("place", new float[TwoOutputs.ROWS * 4], 4)
            .build();
    refused(t -> {}, wide)
        .hasMessageStartingWith("Output 'place': ")
        .hasMessageContaining("[n, 2]")
        .hasMessageContaining("[n, 4]");
    Dataset classes =
        Datasets.arrays()
            .input("x", TwoOutputs.X)
            .target("kind", TwoOutputs.KIND)
            .target("place", TwoOutputs.KIND)
            .build();
    refused(t -> t.loss("place", Losses.meanSquaredError()), classes)
        .hasMessageStartingWith("Output 'place': ")
        .hasMessageContaining("int32");
  }

  @Test
  void settingsOfOutputsThatAreNotTrainedAreRefused() {
    refused(t -> t.outputs("kind").lossWeight("place", 2), TwoOutputs.kinds(9))
        .hasMessageContaining("'place'")
        .hasMessageContaining("is not trained")
        .hasMessageContaining("[kind]");
  }

  @Test
  void classWeightsSayWhoseTheyAre() {
    refused(t -> t.classWeights(1, 2, 3), TwoOutputs.data())
        .hasMessageContaining("[kind, place]")
        .hasMessageContaining("classWeights(output, weights)");
  }

  @Test
  void validationDataIsCheckedBeforeTheFirstEpoch() {
    refused(t -> t.validation(with("kind", "position")), TwoOutputs.data())
        .hasMessageContaining("Output 'place' has no target");
  }

  @Test
  void outputsWhoseMetricsWouldBearOneNameAreRefused() {
    Symbol x = Symbol.input("x", 3);
    Symbol a = Dense.of(3, Activation.SOFTMAX).named("a", x);
    Symbol b = Dense.of(2).named("val_a", x);
    try (Model model = Model.of(List.of(x), List.of(a, b), 1);
        Model twice = Model.of(List.of(x), List.of(a, a), 1)) {
      assertThatThrownBy(() -> Trainer.of(model).fit(TwoOutputs.data()))
          .hasMessageContaining("'val_a_loss'")
          .hasMessageContaining("'a'")
          .hasMessageContaining("Layer.named");
      Dataset kinds =
          Datasets.arrays()
              .input("x", TwoOutputs.X)
              .target("p", TwoOutputs.KIND)
              .target("q", TwoOutputs.KIND)
              .build();
      assertThatThrownBy(() -> Trainer.of(twice).fit(kinds)).hasMessageContaining("'a_loss'");
    }
  }

  @Test
  void aLossThatIsNoNumberNamesItsOutput() {
    float[][] places = new float[TwoOutputs.ROWS][2];
    places[0][1] = Float.NaN;
    Dataset broken =
        Datasets.arrays()
            .input("x", TwoOutputs.X)
            .target("kind", TwoOutputs.KIND)
            .target("place", places)
            .build();
    refused(t -> t.batchSize(TwoOutputs.ROWS), broken)
        .hasMessageContaining("place: NaN")
        .hasMessageContaining("kind: 1.")
        .hasMessageContaining("in epoch 1, step 1");
  }

  @Test
  void evaluatorsAndBatchTrainersSayWhatTheyExpect() {
    try (Model model = TwoOutputs.model()) {
      assertThatThrownBy(() -> Evaluator.of(model, TwoOutputs.kinds(5)))
          .hasMessageContaining("each of the outputs [kind, place], the data has 1 [y]");
      Dataset.Slot slot = TwoOutputs.kinds(5).target();
      assertThatThrownBy(
              () ->
                  new Evaluator(model, Losses.categoricalCrossentropy(), slot, 4, 0, Device.best()))
          .hasMessageContaining("[kind, place]")
          .hasMessageContaining("Evaluator.of");
      try (Evaluator evaluator = Evaluator.of(model, TwoOutputs.data())) {
        assertThatThrownBy(() -> evaluator.evaluate(TwoOutputs.kinds(5)))
            .hasMessageContaining("[kind, place]");
      }
      assertThatThrownBy(() -> Trainer.of(model).batches(4))
          .hasMessageContaining("output 'kind'")
          .hasMessageContaining("loss(\"kind\", Losses.");
      BatchTrainer batches =
          Trainer.of(model)
              .losses(Losses.sparseCategoricalCrossentropy(), Losses.meanSquaredError())
              .batches(4);
      assertThatThrownBy(batches::target)
          .hasMessageContaining("[kind, place]")
          .hasMessageContaining("target(output)");
      assertThatThrownBy(() -> batches.target("x"))
          .hasMessage("No output 'x' is trained here; there are [kind, place]");
      assertThatThrownBy(() -> batches.step(new float[3], new int[1], 1))
          .hasMessageContaining("target(output)");
      assertThat(batches.target("place").capacity()).isEqualTo(4 * 2 * 4);
      batches.close();
      assertThatThrownBy(() -> batches.loss("place"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }
}
