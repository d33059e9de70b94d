package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.compress.Pruner;
import dev.crema.compress.SparsitySchedule;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.train.Loss;
import dev.crema.train.Losses;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class FineTuningTest {
  @TempDir private Path folder;

  @Command
  private static final class Tuning {
    @Mixin private FineTuning fineTuning;
    @Mixin private CommonOptions common;
  }

  private static Dataset points() {
    Random random = new Random(1);
    float[][] x = new float[96][4];
    int[] y = new int[96];
    for (int i = 0; i < 96; i++) {
      for (int j = 0; j < 4; j++) {
        x[i][j] = (float) random.nextGaussian();
      }
      y[i] = x[i][0] > x[i][1] ? 1 : 0;
    }
    return Datasets.of(x, y);
  }

  /** Prunes as the command does, until so many epochs. */
  private static float[] pruned(Path out, String epochs, String... more) {
    return pruned(3, out, epochs, more);
  }

  private static float[] pruned(long weights, Path out, String epochs, String... more) {
    Tuning tuning = new Tuning();
    new CommandLine(tuning).parseArgs(CommandRun.with(more, "--epochs", epochs, "--threads", "1"));
    Dataset data = points();
    try (Model model =
        Model.sequential(4)
            .dense(16, Activation.RELU)
            .dense(2, Activation.SOFTMAX)
            .build(weights)) {
      Trainer trainer = tuning.fineTuning.trainer(model, data, tuning.common).progress(false);
      tuning
          .fineTuning
          .resumable(trainer, out, model)
          .callback(Pruner.magnitude().during(SparsitySchedule.polynomial(0.2, 0.8, 0, 9).every(2)))
          .fit(data);
      return model.get("dense_1/kernel");
    }
  }

  @Test
  void whatWasInterruptedGoesOnToTheSameBits() {
    float[] whole = pruned(folder.resolve("whole"), "5");
    Path out = folder.resolve("parts");
    float[] part = pruned(out, "2");
    assertThat(folder.resolve("parts.tuning")).isDirectory();
    assertThat(part).isNotEqualTo(whole);
    assertThat(pruned(out, "5", "--resume")).isEqualTo(whole);
    assertThat(pruned(out, "5")).as("without --resume it begins anew").isEqualTo(whole);
    FineTuning.forget(out);
    assertThat(folder.resolve("parts.tuning")).doesNotExist();
    FineTuning.forget(out); // nothing is there any more
  }

  @Test
  void itDoesNotGoOnForAnotherModel() {
    Path out = folder.resolve("model");
    pruned(out, "1");
    assertThatThrownBy(() -> pruned(4, out, "2", "--resume"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("model.tuning began with other weights");
    pruned(4, out, "2");
  }

  @Test
  void aFolderOfOtherFilesIsLeftAlone() throws IOException {
    Path other = Files.createDirectory(folder.resolve("mine.tuning"));
    Files.writeString(other.resolve("notes.txt"), "piano");
    assertThatThrownBy(() -> pruned(folder.resolve("mine"), "1"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("holds other files and no model");
    assertThat(other.resolve("notes.txt")).hasContent("piano");
  }

  @Test
  void itGoesOnWithTheLabelSmoothingOfTheTraining() throws IOException {
    Dataset data = points();
    Path file = folder.resolve("smooth");
    try (Model model = Model.sequential(4).dense(2, Activation.SOFTMAX).build(3)) {
      Trainer.of(model)
          .loss(Losses.categoricalCrossentropy().withLabelSmoothing(0.2))
          .epochs(1)
          .fit(data);
      model.save(file);
    }
    try (Model model = Model.load(file)) {
      assertThat(Losses.ofTraining(model)).get().extracting(Loss::labelSmoothing).isEqualTo(0.2);
      Tuning tuning = new Tuning();
      new CommandLine(tuning).parseArgs("--epochs", "1");
      tuning.fineTuning.trainer(model, data, tuning.common).progress(false).fit(data);
      assertThat(Losses.ofTraining(model)).get().extracting(Loss::labelSmoothing).isEqualTo(0.2);
      Trainer.of(model).epochs(1).fit(data);
      assertThat(Losses.ofTraining(model)).get().extracting(Loss::labelSmoothing).isEqualTo(0.0);
      model.metadata().remove("loss");
      assertThat(Losses.ofTraining(model)).isEmpty();
    }
  }
}
