package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Preprocessing;
import dev.crema.nn.Model;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures a saved model on a data set. */
@Command(
    name = "evaluate",
    description = "Measures a saved model on a data set.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private DataArguments dataArguments;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(names = "--data", required = true, description = Examples.DATA)
  private Path data;

  @Override
  public Integer call() {
    try (Model loaded = Model.load(model)) {
      OneOutput.require(loaded.topology(), "" + model);
      Dataset examples =
          Examples.open(
              data, preprocessing(loaded, model), dataArguments.options(0, common.seed()));
      try (Evaluator evaluator =
          Evaluator.of(loaded, examples, common.threads(), common.device())) {
        Evaluation evaluation = evaluator.evaluate(examples);
        common.text().println(evaluation);
        return common.finish(evaluation.toJson());
      }
    }
  }

  /** What the training learnt of its data, from the model's file. */
  static Preprocessing preprocessing(Model model, Path file) {
    if (!model.metadata().has("preprocessing")) {
      throw new CremaException(
          file + " was saved without preprocessing; train it with `crema train`");
    }
    return Preprocessing.fromJson(model.metadata().get("preprocessing"));
  }
}
