package dev.crema.cli;

import dev.crema.train.Optimizer;
import picocli.CommandLine.Option;

/** How a training changes parameters: after how many examples, and by which optimiser. */
final class UpdateOptions {
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

  int batchSize() {
    return batchSize;
  }

  Optimizer optimizer() {
    return optimizer(1);
  }

  /**
   * @param share of the optimiser's usual learning rate, where the user names none
   */
  Optimizer optimizer(double share) {
    Optimizer chosen = Optimizer.of(optimizer, learningRate);
    return Double.isNaN(learningRate)
        ? chosen.withLearningRate(share * chosen.learningRate())
        : chosen;
  }
}
