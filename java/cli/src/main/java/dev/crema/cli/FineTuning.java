package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import dev.crema.train.Losses;
import dev.crema.train.Trainer;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model that is compressed is trained. */
final class FineTuning {
  /** All options that are about a training. */
  static final Set<String> OPTIONS =
      Set.of(
          "--epochs",
          "--batch-size",
          "--optimizer",
          "--learning-rate",
          "--class-weights",
          "--resume");

  @Mixin private UpdateOptions updates;

  @Option(
      names = "--epochs",
      defaultValue = "10",
      description = "To train for; 0: not at all (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--resume",
      description =
          "Go on from what an interrupted training of the same settings left in OUT.tuning, if it is"
              + " there.")
  private boolean resume;

  int epochs() {
    if (epochs < 0) {
      throw new CremaException("--epochs must not be negative, got " + epochs);
    }
    return epochs;
  }

  /** Updates of the whole training. */
  long steps(Dataset train) {
    if (train.size() < 0) {
      throw new CremaException(
          "A schedule needs to know how many examples there are, but the data is read as a"
              + " stream. Use --schedule constant.");
    }
    return epochs() * ((train.size() + updates.batchSize() - 1) / updates.batchSize());
  }

  /** With the loss that the model was trained with, for at least one epoch. */
  Trainer trainer(Model model, Dataset train, CommonOptions common) {
    return configure(Trainer.of(model), model, train, common, 1);
  }

  /**
   * Sets a trainer up in the same way.
   *
   * @param model whose training says the loss
   * @param train what it will train on
   * @param share of the optimiser's usual learning rate, where the user names none
   */
  Trainer configure(
      Trainer trainer, Model model, Dataset train, CommonOptions common, double share) {
    trainer
        .optimizer(updates.optimizer(share))
        .epochs(epochs())
        .batchSize(updates.batchSize())
        .seed(common.seed())
        .threads(common.threads())
        .device(common.device())
        .progress(true);
    updates.requireClasses(model.metadata().path("loss").asText(""));
    updates.weighClasses(trainer, train);
    Losses.ofTraining(model).ifPresent(trainer::loss);
    return trainer;
  }

  /** What an interrupted training goes on from, beside the model that it makes. */
  private static Path checkpoint(Path out) {
    return out.resolveSibling(out.getFileName() + ".tuning");
  }

  /**
   * Has a training keep after each epoch what it can go on from, and go on from that where the user
   * asks for it and the models are the same.
   *
   * @param out where its model will be
   * @param models that it begins with: the one that is trained, or made ready for it, and teachers
   */
  Trainer resumable(Trainer trainer, Path out, Model... models) {
    Path checkpoint = checkpoint(out);
    ModelArchive.requireReplaceable(checkpoint);
    return trainer
        .checkpoint(checkpoint)
        .resume(resume)
        .callback(new FirstWeights(checkpoint, models));
  }

  /** Deletes what a training could go on from: its model is saved. */
  static void forget(Path out) {
    Path folder = checkpoint(out);
    if (!Files.isDirectory(folder)) {
      return;
    }
    try {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new CremaException(
          "The model is saved in " + out + ", but " + folder + " cannot be deleted: " + e, e);
    }
  }
}
