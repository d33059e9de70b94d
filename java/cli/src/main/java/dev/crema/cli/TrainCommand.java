package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.LoadedData;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.memory.ElementType;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.train.EarlyStopping;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import dev.crema.train.History;
import dev.crema.train.LearningRate;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a model on a data set. */
@Command(
    name = "train",
    description = "Trains a model on CSV, IDX, NPY/NPZ or a folder of images.",
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private DataArguments dataArguments;

  @Option(names = "--data", required = true, description = "File or folder with the examples.")
  private Path data;

  @Option(names = "--validation", description = "File or folder to validate on.")
  private Path validation;

  @Option(
      names = "--validation-split",
      defaultValue = "0.2",
      description =
          "Part of the data to validate on where there is no other (default: ${DEFAULT-VALUE}; 0: none).")
  private double validationSplit;

  @Option(
      names = "--model",
      defaultValue = "mlp:64,64",
      description =
          "seed-mlp, mlp:H1,H2,..., lenet, resnet18-small, linear, or FILE.json (default: ${DEFAULT-VALUE}).")
  private String model;

  @Option(names = "--out", required = true, description = "Folder or .zip for the trained model.")
  private Path out;

  @Option(names = "--epochs", defaultValue = "20", description = "Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Option(names = "--batch-size", defaultValue = "32", description = "Default: ${DEFAULT-VALUE}.")
  private int batchSize;

  @Option(
      names = "--optimizer",
      defaultValue = "adam",
      description =
          "sgd, momentum, nesterov, adam, adamw, rmsprop, adagrad, lion, lamb (default: ${DEFAULT-VALUE}).")
  private String optimizer;

  @Option(names = "--learning-rate", description = "Default: the optimiser's usual one.")
  private double learningRate = Double.NaN;

  @Option(names = "--weight-decay", description = "Default: the optimiser's usual one.")
  private double weightDecay = Double.NaN;

  @Option(
      names = "--schedule",
      defaultValue = "constant",
      description =
          "constant, cosine, one-cycle, exponential, polynomial (default: ${DEFAULT-VALUE}).")
  private String schedule;

  @Option(names = "--loss", description = "Default: what the label suggests.")
  private String loss;

  @Option(
      names = "--patience",
      description = "Stop after that many epochs without a lower val_loss.")
  private int patience;

  @Option(names = "--clip-norm", description = "Largest norm of all gradients together.")
  private double clipNorm;

  @Option(names = "--resume", description = "Go on from OUT.checkpoint, if it is there.")
  private boolean resume;

  @Override
  public Integer call() {
    ModelArchive.requireReplaceable(out);
    ModelArchive.requireReplaceable(checkpoint());
    DataOptions options =
        dataArguments.options(validation == null ? validationSplit : 0, common.seed());
    LoadedData loaded = Datasets.open(data, options);
    loaded.notes().forEach(common.text()::println);
    Dataset train = loaded.train();
    Dataset held =
        validation == null
            ? loaded.validation()
            : Datasets.open(validation, loaded.preprocessing(), options);
    if (train.target() == null) {
      throw new CremaException(data + " has no labels to train for");
    }
    try (Model trained = model(train)) {
      trained.metadata().set("preprocessing", loaded.preprocessing().toJson());
      common.text().println(trained.summary());
      History history = fit(trained, train, held);
      Dataset measured = held != null ? held : loaded.test() != null ? loaded.test() : train;
      try (Evaluator evaluator =
          Evaluator.of(trained, measured, common.threads(), common.device())) {
        Evaluation evaluation = evaluator.evaluate(measured);
        trained.save(out);
        if (!out.toString().endsWith(".zip")) {
          Results.plot(out, data.getFileName() + ", " + model, history, evaluation);
        }
        common.text().println(evaluation);
        common.text().println("Model: " + out);
        ObjectNode document = Json.mapper().createObjectNode();
        document.put("model", out.toString()).put("bad_rows", loaded.badRows());
        document.set("history", history.toJson());
        document.set("evaluation", evaluation.toJson());
        return common.finish(document);
      }
    }
  }

  /** What a training goes on from stands beside the model, which may be of an earlier epoch. */
  private Path checkpoint() {
    return out.resolveSibling(out.getFileName() + ".checkpoint");
  }

  private Model model(Dataset train) {
    boolean classes = train.target().type() == ElementType.INT32;
    int outputs =
        classes ? train.classNames().size() : Math.toIntExact(train.target().shape().elements());
    BuiltIn.Output kind = classes ? BuiltIn.Output.CLASSES : BuiltIn.Output.VALUES;
    long[] shape = train.inputs().get(0).shape().dims();
    return Model.of(BuiltIn.topology(model, shape, kind, outputs), common.seed());
  }

  private History fit(Model trained, Dataset train, Dataset held) {
    Optimizer chosen = Optimizer.of(optimizer, learningRate);
    if (!Double.isNaN(weightDecay)) {
      chosen = chosen.withWeightDecay(weightDecay);
    }
    Trainer trainer =
        Trainer.of(trained)
            .optimizer(chosen)
            .schedule(schedule(chosen.learningRate()))
            .epochs(epochs)
            .batchSize(batchSize)
            .seed(common.seed())
            .threads(common.threads())
            .device(common.device())
            .clipNorm(clipNorm)
            .progress(true);
    if (loss != null) {
      trainer.loss(Losses.of(loss));
    }
    if (held != null) {
      trainer.validation(held);
    }
    if (patience > 0) {
      trainer.callback(EarlyStopping.minimise("val_loss", patience));
    }
    trainer.checkpoint(checkpoint()).resume(resume);
    return trainer.fit(train);
  }

  private LearningRate schedule(double rate) {
    return switch (schedule) {
      case "constant" -> LearningRate.constant(rate);
      case "cosine" -> LearningRate.cosine(rate, 0, 0);
      case "one-cycle" -> LearningRate.oneCycle(rate, 0.3);
      case "polynomial" -> LearningRate.polynomial(rate, 0, 1);
      case "exponential" -> LearningRate.exponential(rate, 0.96, 1000);
      default ->
          throw new CremaException(
              "There is no schedule '"
                  + schedule
                  + "'; there are "
                  + List.of("constant", "cosine", "one-cycle", "exponential", "polynomial"));
    };
  }
}
