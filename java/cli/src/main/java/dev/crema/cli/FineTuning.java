package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.nn.Model;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import picocli.CommandLine.Option;

/** How a model that is compressed is trained. */
final class FineTuning {
  @Option(
      names = "--epochs",
      defaultValue = "10",
      description = "To train for; 0: not at all (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(names = "--batch-size", defaultValue = "32", description = "Default: ${DEFAULT-VALUE}.")
  private int batchSize;

  @Option(
      names = "--optimizer",
      defaultValue = "adam",
      description =
          "sgd, momentum, nesterov, adam, adamw, rmsprop, adagrad, lion, lamb (default:"
              + " ${DEFAULT-VALUE}).")
  private String optimizer;

  @Option(names = "--learning-rate", description = "Default: the optimiser's usual one.")
  private double learningRate = Double.NaN;

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
    return epochs() * ((train.size() + batchSize - 1) / batchSize);
  }

  /** With the loss that the model was trained with, for at least one epoch. */
  Trainer trainer(Model model, CommonOptions common) {
    Trainer trainer =
        Trainer.of(model)
            .optimizer(Optimizer.of(optimizer, learningRate))
            .epochs(epochs())
            .batchSize(batchSize)
            .seed(common.seed())
            .threads(common.threads())
            .device(common.device())
            .progress(true);
    String loss = model.metadata().path("loss").asText("");
    return loss.isEmpty() ? trainer : trainer.loss(Losses.of(loss));
  }
}
