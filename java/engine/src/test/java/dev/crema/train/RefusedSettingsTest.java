package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Example;
import dev.crema.device.Device;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.nn.Activation;
import dev.crema.nn.Flatten;
import dev.crema.nn.Model;
import dev.crema.nn.Regularizer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Settings that would wreck a model, or silently do nothing, are refused before anything changes.
 */
class RefusedSettingsTest {
  private static final float NAN = Float.NaN;
  private static final Dataset DATA =
      Datasets.of(new float[][] {{1, 2}, {3, 4}, {5, 6}, {7, 8}}, new int[] {0, 1, 2, 0});

  private Model model;
  private float[] before;

  @BeforeEach
  void make() {
    model = Model.sequential(2).dense(4, Activation.RELU).dense(3, Activation.SOFTMAX).build(1);
    before = model.get("dense_1/kernel");
  }

  @AfterEach
  void close() {
    float[] after = model.get("dense_1/kernel");
    model.close();
    assertThat(after).as("nothing was trained").isEqualTo(before);
  }

  @Test
  void classWeightsAreFiniteAndNotNegativeAndNotAllZero() {
    Trainer trainer = Trainer.of(model);
    for (float[] bad : new float[][] {{1, NAN, 1}, {1, -1, 1}, {Float.POSITIVE_INFINITY, 1, 1}}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> trainer.classWeights(bad))
          .withMessageStartingWith("Class weights must be finite numbers of at least 0, got [");
      assertThatIllegalArgumentException().isThrownBy(() -> trainer.classWeights("dense_2", bad));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trainer.classWeights(0, 0, 0))
        .withMessage("At least one class weight must be above 0, got [0.0, 0.0, 0.0]");
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1, Double.NaN, Double.NEGATIVE_INFINITY})
  void clippingIsByAPositiveNumber(double value) {
    Trainer trainer = Trainer.of(model);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trainer.clipNorm(value))
        .withMessage("clipNorm must be at least 0, got " + value);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> trainer.clipValue(value))
        .withMessage("clipValue must be at least 0, got " + value);
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, Double.NaN, Double.POSITIVE_INFINITY})
  void aScheduleThatGivesNoLearningRateIsNamedBeforeItUpdatesAnything(double rate) {
    assertThatThrownBy(() -> Trainer.of(model).schedule((step, total) -> rate).fit(DATA))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "The learning rate of step 0 is "
                + rate
                + " (schedule: custom); it must be a finite number of at least 0");
    try (BatchTrainer trainer =
        Trainer.of(model).loss(Losses.sparseCategoricalCrossentropy()).batches(2)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> trainer.learningRate(rate))
          .withMessage("The learning rate must be a finite number of at least 0, got " + rate);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1, Double.NaN, Double.POSITIVE_INFINITY})
  void numbersOfOptimisersAndPenaltiesAreFinite(double value) {
    assertThatIllegalArgumentException().isThrownBy(() -> Optimizer.adamW(0.1, value));
    assertThatIllegalArgumentException().isThrownBy(() -> Optimizer.adam(0.1, 0.9, 0.99, value));
    assertThatIllegalArgumentException().isThrownBy(() -> Regularizer.l1(value));
    assertThatIllegalArgumentException().isThrownBy(() -> Regularizer.l2(value));
    assertThatIllegalArgumentException().isThrownBy(() -> ParameterGroup.of(value, "dense_1"));
    if (!Double.isInfinite(value)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> EarlyStopping.minimise("loss", 2).minDelta(value))
          .withMessage("minDelta must be at least 0, got " + value);
    }
  }

  @Test
  void aParameterGroupIsOfLayersThatThereAreEachOnce() {
    assertThatThrownBy(() -> Trainer.of(model).group(ParameterGroup.of(0.1, "dense_9")).fit(DATA))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "There is no layer 'dense_9' for a parameter group; there are [x, dense_1, dense_2]");
    assertThatThrownBy(
            () ->
                Trainer.of(model)
                    .group(ParameterGroup.of(0.1, "dense_1"))
                    .group(ParameterGroup.of(10, "dense_2", "dense_1"))
                    .fit(DATA))
        .isInstanceOf(CremaException.class)
        .hasMessage("Layer 'dense_1' is in parameter groups twice; name it once");
  }

  @Test
  void aFractionThatLeavesNothingToValidateOnIsRefused() {
    assertThatThrownBy(() -> Trainer.of(model).validationFraction(0.1).fit(DATA.take(2)))
        .isInstanceOf(CremaException.class)
        .hasMessageStartingWith("A fraction of 0.1 of 2 examples is none at all");
  }

  @Test
  void aStreamWithoutExamplesIsRefusedAsOtherDataWithoutThem() {
    Dataset empty =
        Datasets.stream(
            List.of(new Dataset.Slot("x", ElementType.FLOAT32, Shape.of(2))),
            new Dataset.Slot("y", ElementType.INT32, Shape.of()),
            List.of("a", "b", "c"),
            List.<Example>of());
    assertThatThrownBy(() -> Trainer.of(model).fit(empty))
        .isInstanceOf(CremaException.class)
        .hasMessage("The training data has no examples");
  }

  @Test
  void validationDataWhoseNumbersStandForOtherClassesIsRefused() {
    float[][] x = {{1, 2}, {3, 4}, {5, 6}};
    int[] y = {0, 1, 2};
    Dataset train = Datasets.of(x, y, List.of("cat", "dog", "cow"));
    Dataset held = Datasets.of(x, y, List.of("cat", "cow", "dog"));
    assertThatThrownBy(() -> Trainer.of(model).validation(held).fit(train))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("classes [cat, cow, dog], the training data [cat, dog, cow]");
    assertThatThrownBy(() -> Trainer.of(model).validation(train.take(0)).fit(train))
        .isInstanceOf(CremaException.class)
        .hasMessage("The validation data has no examples");
    try (Evaluator evaluator = Evaluator.of(model, train)) {
      assertThatThrownBy(() -> evaluator.evaluate(train.take(0)))
          .isInstanceOf(CremaException.class)
          .hasMessage("There are no examples to evaluate on");
    }
  }

  @Test
  void moreClassesThanTheModelTellsApartAreNamedBeforeTheTraining() {
    Dataset four =
        Datasets.of(new float[][] {{1, 2}, {3, 4}, {5, 6}, {7, 8}}, new int[] {0, 1, 2, 3});
    assertThatThrownBy(() -> Trainer.of(model).fit(four))
        .isInstanceOf(CremaException.class)
        .hasMessage(
            "The data has 4 classes [0, 1, 2, 3], but the output 'dense_2', [n, 3], tells 3 apart."
                + " Give the model's last layer a unit for each class.");
    try (Model yesNo = Model.sequential(2).dense(1, Activation.SIGMOID).build(1)) {
      assertThatThrownBy(() -> Trainer.of(yesNo).fit(four))
          .isInstanceOf(CremaException.class)
          .hasMessageContaining("tells 2 apart");
    }
  }

  @Test
  void imagesWithTheirChannelsFirstAreNotTakenForThoseWithTheChannelsLast() {
    float[] pixels = new float[2 * 3 * 4 * 5];
    int[] y = {0, 1};
    try (Model images =
        Model.sequential(4, 5, 3).add(new Flatten()).dense(2, Activation.SOFTMAX).build(1)) {
      Trainer trainer = Trainer.of(images).epochs(1);
      List<String> names = List.of("a", "b");
      for (Shape shape : new Shape[] {Shape.of(3, 4, 5), Shape.of(5, 4, 3), Shape.of(20, 3)}) {
        assertThatThrownBy(() -> trainer.fit(Datasets.of(pixels, shape, y, names)))
            .isInstanceOf(CremaException.class)
            .hasMessageContaining(
                "The model's input 'x' is [n, 4, 5, 3] but the data's 'x' is [n, ");
      }
      for (Shape shape : new Shape[] {Shape.of(4, 5, 3), Shape.of(60), Shape.of(1, 4, 5, 3)}) {
        assertThat(trainer.fit(Datasets.of(pixels, shape, y, names)).epochs()).hasSize(1);
      }
    }
  }

  @Test
  void aSoftmaxOfOneValueTeachesNothing() {
    Dataset two = Datasets.of(new float[][] {{1, 2}, {3, 4}}, new int[] {0, 1});
    try (Model one = Model.sequential(2).dense(1, Activation.SOFTMAX).build(1)) {
      assertThatThrownBy(() -> Trainer.of(one).fit(two))
          .isInstanceOf(CremaException.class)
          .hasMessageStartingWith("The model's output is a softmax of one value");
    }
  }

  @Test
  void threadsAndCapacitiesAreNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Trainer.of(model).threads(-1))
        .withMessage("threads must be at least 0, got -1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> model.predictor(1, -5, Device.cpu()))
        .withMessage("threads must be at least 0, which is all of the pool, got -5");
    for (int capacity : new int[] {0, -1}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> model.predictor(capacity))
          .withMessage("The capacity must be at least 1, got " + capacity);
    }
  }

  @Test
  void moreThreadsThanThereCanBeAreAllThereAre() {
    float[] few = new float[3];
    float[] many = new float[3];
    try (var one = model.predictor(1, 1, Device.cpu());
        var million = model.predictor(1, 1_000_000, Device.cpu())) {
      one.predict(new float[] {1, 2}, few);
      million.predict(new float[] {1, 2}, many);
    }
    assertThat(many).isEqualTo(few);
  }
}
