package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.ClassWeights;
import dev.crema.data.Dataset;
import dev.crema.nn.BuiltIn;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
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

  @Option(
      names = "--class-weights",
      description =
          "What each class counts in the loss: balanced, or CLASS=WEIGHT,... (others: 1).")
  private String classWeights;

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

  boolean weighsClasses() {
    return classWeights != null;
  }

  /**
   * Refuses weights of classes where there are none.
   *
   * @param loss that the model was trained with; empty: not known
   */
  void requireClasses(String loss) {
    if (classWeights != null
        && !loss.isEmpty()
        && Losses.of(loss).answers() == BuiltIn.Output.VALUES) {
      throw new CremaException("--class-weights is for classes, but the model gives numbers");
    }
  }

  /** Has a trainer weigh the classes as the user asked, if he did. */
  void weighClasses(Trainer trainer, Dataset train) {
    if (classWeights != null) {
      trainer.classWeights(ClassWeights.parse(classWeights, train));
    }
  }
}
