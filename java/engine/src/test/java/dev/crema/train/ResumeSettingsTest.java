package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Precision;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A training resumes only with the settings that its checkpoint was written with. */
class ResumeSettingsTest {
  @TempDir private Path folder;

  private static Trainer trainer(Model model) {
    return Trainer.of(model)
        .optimizer(Optimizer.adam(0.01))
        .loss("kind", Losses.categoricalCrossentropy().withLabelSmoothing(0.1))
        .loss("place", Losses.huber(1))
        .classWeights("kind", 1, 2, 1)
        .schedule(LearningRate.cosine(0.01, 0, 5))
        .accumulate(2)
        .clipNorm(1)
        .group(ParameterGroup.of(0.5, "trunk"))
        .batchSize(8)
        .epochs(1);
  }

  private void train(Consumer<Trainer> change, Dataset data, boolean resume) {
    try (Model model = TwoOutputs.model()) {
      Trainer trainer = trainer(model).checkpoint(folder.resolve("c")).resume(resume);
      change.accept(trainer);
      trainer.fit(data);
    }
  }

  private record Change(String difference, Consumer<Trainer> change) {
    @Override
    public String toString() {
      return difference;
    }
  }

  static Stream<Change> changes() {
    return Stream.of(
        new Change(
            "optimizer Adaptive[learningRate=0.01, weightDecay=0.0, beta1=0.9, beta2=0.999,"
                + " epsilon=1.0E-8, kind=ADAM], now Descent[learningRate=0.1, weightDecay=0.0,"
                + " momentum=0.0, nesterov=false]",
            t -> t.optimizer(Optimizer.sgd(0.1))),
        new Change("seed 42, now 43", t -> t.seed(43)),
        new Change("batch size 8, now 9", t -> t.batchSize(9)),
        new Change(
            "loss of 'kind' categorical_crossentropy, label smoothing 0.1, now"
                + " categorical_crossentropy, label smoothing 0.2",
            t -> t.loss("kind", Losses.categoricalCrossentropy().withLabelSmoothing(0.2))),
        new Change("loss of 'place' huber, now huber:0.5", t -> t.loss("place", Losses.huber(0.5))),
        new Change("loss weight of 'place' 1.0, now 0.5", t -> t.lossWeight("place", 0.5)),
        new Change(
            "class weights of 'kind' [1.0, 2.0, 1.0], now [1.0, 3.0, 1.0]",
            t -> t.classWeights("kind", 1, 3, 1)),
        new Change(
            "schedule cosine: rate 0.01, end 0.0, warm-up 5, now constant 0.01",
            t -> t.schedule(null)),
        new Change(
            "schedule cosine: rate 0.01, end 0.0, warm-up 5, now custom",
            t -> t.schedule((step, total) -> 0.1)),
        new Change("accumulated batches 2, now 1", t -> t.accumulate(1)),
        new Change("precision float32, now bfloat16", t -> t.precision(Precision.BFLOAT16)),
        new Change("clip norm 1.0, now none", t -> t.clipNorm(0)),
        new Change("clip value none, now 0.5", t -> t.clipValue(0.5)),
        new Change("shuffle true, now false", t -> t.shuffle(false)),
        new Change("frozen layers [], now [trunk]", t -> t.freeze("trunk")),
        new Change(
            "parameter groups [ParameterGroup[layers=[trunk], learningRateFactor=0.5,"
                + " weightDecay=NaN]], now [ParameterGroup[layers=[trunk],"
                + " learningRateFactor=0.5, weightDecay=NaN], ParameterGroup[layers=[kind],"
                + " learningRateFactor=2.0, weightDecay=NaN]]",
            t -> t.group(ParameterGroup.of(2, "kind"))),
        new Change("training examples 60, now 44", t -> t.validationFraction(0.25)));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void aChangedSettingIsNamedWithBothValues(Change change) {
    train(t -> {}, TwoOutputs.data(), false);
    assertThatThrownBy(() -> train(change.change, TwoOutputs.data(), true))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("was trained with other settings: " + change.difference + ". Use")
        .hasMessageContaining(folder.resolve("c").toString());
    train(change.change, TwoOutputs.data(), false); // anew it may be trained
  }

  @Test
  void severalDifferencesAreAllNamed() {
    train(t -> {}, TwoOutputs.data(), false);
    assertThatThrownBy(
            () -> train(t -> t.seed(1).clipNorm(2).accumulate(3), TwoOutputs.data(), true))
        .hasMessageContaining(
            "seed 42, now 1; accumulated batches 2, now 3; clip norm 1.0, now 2.0");
    assertThatThrownBy(() -> train(t -> {}, TwoOutputs.data(30), true))
        .hasMessageContaining("training examples 60, now 30");
  }

  @Test
  void oneOutputOfTheTwoIsAnotherTraining() {
    train(t -> {}, TwoOutputs.data(), false);
    try (Model model = TwoOutputs.model()) {
      Trainer trainer =
          Trainer.of(model).outputs("kind").checkpoint(folder.resolve("c")).resume(true);
      assertThatThrownBy(() -> trainer.fit(TwoOutputs.kinds(TwoOutputs.ROWS)))
          .hasMessageContaining("loss of 'place' huber, now none");
    }
  }

  @Test
  void whatDoesNotDecideTheCourseMayChange() {
    train(t -> {}, TwoOutputs.data(), false);
    assertThatCode(
            () ->
                train(
                    t ->
                        t.epochs(2)
                            .threads(1)
                            .validation(TwoOutputs.data(9))
                            .callback(EarlyStopping.minimise("val_loss", 3)),
                    TwoOutputs.data(),
                    true))
        .doesNotThrowAnyException();
  }

  @Test
  void anOlderCheckpointIsComparedByWhatItHolds() {
    try (Model model = Model.sequential(3).dense(3).build(1)) {
      Trainer trainer =
          Trainer.of(model)
              .loss(Losses.categoricalCrossentropy().withLabelSmoothing(0.1))
              .clipNorm(3);
      Dataset data = TwoOutputs.kinds(9);
      TrainingSettings settings = TrainingSettings.of(trainer, trainer.outputs.heads(data), data);
      ObjectNode json = Json.mapper().createObjectNode();
      json.put("loss", "categorical_crossentropy");
      settings.write(json);
      assertThat(json.get("settings").get("loss").asText())
          .isEqualTo("categorical_crossentropy, label smoothing 0.1");
      settings.requireSameAs(json, folder);
      json.remove(List.of("settings"));
      settings.requireSameAs(json, folder);
      json.put("loss", "mean_squared_error").put("seed", 7);
      assertThatThrownBy(() -> settings.requireSameAs(json, folder))
          .hasMessageContaining("seed 7, now 42")
          .hasMessageContaining("loss mean_squared_error, now categorical_crossentropy");
    }
  }
}
