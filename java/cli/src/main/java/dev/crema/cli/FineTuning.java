package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.nn.Model;
import dev.crema.train.Losses;
import dev.crema.train.Trainer;
import java.util.Set;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model that is compressed is trained. */
final class FineTuning {
  /** All options that are about a training. */
  static final Set<String> OPTIONS =
      Set.of("--epochs", "--batch-size", "--optimizer", "--learning-rate", "--class-weights");

  @Mixin private UpdateOptions updates;

  @Option(
      names = "--epochs",
      defaultValue = "10",
      description = "To train for; 0: not at all (default: ${DEFAULT-VALUE}).")
  private int epochs;

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
    String loss = model.metadata().path("loss").asText("");
    updates.requireClasses(loss);
    updates.weighClasses(trainer, train);
    return loss.isEmpty() ? trainer : trainer.loss(Losses.of(loss));
  }
}
