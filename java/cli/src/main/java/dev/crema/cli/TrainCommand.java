package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.LoadedData;
import dev.crema.data.TablePreprocessing;
import dev.crema.graph.Precision;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.memory.ElementType;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.TopologyFormat;
import dev.crema.train.EarlyStopping;
import dev.crema.train.EpochLog;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import dev.crema.train.History;
import dev.crema.train.LearningRate;
import dev.crema.train.Loss;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import dev.crema.train.TrainingReference;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
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
  private static final int EPOCHS = 20;
  private static final int MOST_EPOCHS = 100;
  private static final int LEAST_STEPS = 200;
  private static final int FEW = 10;

  @Mixin private CommonOptions common;
  @Mixin private DataArguments dataArguments;
  @Mixin private UpdateOptions updates;

  @Option(names = "--data", required = true, description = Examples.DATA)
  private Path data;

  @Option(names = "--validation", description = "File or folder to validate on.")
  private Path validation;

  @Option(
      names = "--validation-split",
      defaultValue = "0.2",
      description =
          "Part of the data to validate on where there is no other (default: ${DEFAULT-VALUE}; 0:"
              + " none).")
  private double validationSplit;

  @Option(
      names = "--model",
      defaultValue = "mlp:64,64",
      description =
          "seed-mlp, mlp:H1,H2,..., lenet, resnet18, resnet18-small, linear, or FILE.json (default:"
              + " ${DEFAULT-VALUE}).")
  private String model;

  @Option(names = "--out", required = true, description = "Folder or .zip for the trained model.")
  private Path out;

  @Option(
      names = "--epochs",
      description = "Default: 20; of few examples as many as make 200 steps, at most 100.")
  private Integer epochs;

  @Option(
      names = "--precision",
      defaultValue = "float32",
      description =
          "float32, tf32 (products of a card's tensor cores; on the CPU as float32), bfloat16 (on a"
              + " card all that stands between ops; on the CPU factors of products), or float16 (on"
              + " a card, with loss scaling); parameters, sums and losses stay float32 (default:"
              + " ${DEFAULT-VALUE}).")
  private Precision precision;

  @Option(names = "--weight-decay", description = "Default: the optimiser's usual one.")
  private double weightDecay = Double.NaN;

  @Option(
      names = "--schedule",
      defaultValue = "constant",
      description =
          "constant, cosine, one-cycle, exponential, polynomial (default: ${DEFAULT-VALUE}).")
  private String schedule;

  @Option(
      names = "--loss",
      description = "One of: ${COMPLETION-CANDIDATES} (default: what the label suggests).",
      completionCandidates = LossNames.class)
  private String loss;

  @Option(
      names = "--label-smoothing",
      description = "Softens the targets of a cross-entropy, from 0 to 1 (default: 0).")
  private double labelSmoothing;

  @Option(
      names = "--patience",
      description = "Stop after that many epochs without a lower val_loss.")
  private int patience;

  @Option(names = "--clip-norm", description = "Largest norm of all gradients together.")
  private double clipNorm;

  @Option(names = "--log", description = "Write a line for each epoch to this .csv or .jsonl file.")
  private Path log;

  @Option(
      names = "--plot",
      description = "Draw the training's curves to this .svg or .png file too.")
  private Path plot;

  @Option(
      names = "--watch",
      arity = "0..1",
      paramLabel = "PORT",
      fallbackValue = "8502",
      description =
          "Show the curves while it trains at http://127.0.0.1:PORT/ (default without a number:"
              + " ${FALLBACK-VALUE}; 0: any that is free), and figures for Prometheus at /metrics.")
  private Integer watch;

  @Option(
      names = "--no-reference",
      description =
          "Store no histograms of the inputs and predictions with the model: where it is served,"
              + " drift is not monitored then.")
  private boolean noReference;

  @Option(names = "--resume", description = "Go on from OUT.checkpoint, if it is there.")
  private boolean resume;

  @Override
  public Integer call() {
    if (watch != null) {
      ServingJars.require("--watch");
    }
    ModelArchive.requireReplaceable(out);
    ModelArchive.requireReplaceable(checkpoint());
    if (plot != null) {
      Results.requirePicture(plot);
    }
    DataOptions options =
        dataArguments.options(validation == null ? validationSplit : 0, common.seed());
    LoadedData loaded = Examples.open(data, options);
    if (!loaded.columns().isEmpty()) {
      System.err.println(Columns.table(loaded.columns()));
    }
    loaded.notes().forEach(common.text()::println);
    Dataset train = loaded.train();
    Dataset held =
        validation == null
            ? loaded.validation()
            : Examples.open(validation, loaded.preprocessing(), options);
    if (held != null && held.size() >= 0 && held.size() < FEW) {
      common
          .text()
          .printf(
              "Only %d examples are there to validate on: their figures say little.%n",
              held.size());
    }
    if (train.target() == null) {
      throw new CremaException(data + " has no labels to train for");
    }
    boolean labels =
        loaded.preprocessing() instanceof TablePreprocessing table && table.isMultiLabel();
    try (Model trained = model(train, labels)) {
      trained.metadata().set("preprocessing", loaded.preprocessing().toJson());
      common.text().println(trained.summary());
      History history = fit(trained, train, held);
      Dataset measured = held != null ? held : loaded.test() != null ? loaded.test() : train;
      try (Evaluator evaluator =
          Evaluator.of(trained, measured, common.threads(), common.device())) {
        Evaluation evaluation = evaluator.evaluate(measured);
        if (!noReference) {
          TrainingReference.store(trained, train, common.seed(), common.threads(), common.device());
        }
        Results.save(trained, out);
        String title = data.getFileName() + ", " + model;
        if (!out.toString().endsWith(".zip")) {
          Results.plot(out, title, history, evaluation, "svg");
        }
        if (plot != null) {
          Results.curves(title, history).write(plot);
        }
        common.text().println(evaluation);
        common.text().println("Model: " + out);
        ObjectNode document = Json.mapper().createObjectNode();
        document.put("model", out.toString()).put("bad_rows", loaded.badRows());
        document.set("columns", Columns.json(loaded.columns()));
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

  /** The names of the losses, for the help. */
  static final class LossNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Losses.NAMES.iterator();
    }
  }

  private Loss loss() {
    Loss chosen = loss == null ? null : Losses.of(loss);
    if (labelSmoothing != 0 && chosen == null) {
      chosen = Losses.categoricalCrossentropy();
    }
    return labelSmoothing == 0 ? chosen : chosen.withLabelSmoothing(labelSmoothing);
  }

  /**
   * @param labels whether the target are yes-or-no labels each by itself
   */
  private Model model(Dataset train, boolean labels) {
    if (model.endsWith(".json")) {
      OneOutput.require(TopologyFormat.read(Path.of(model)), model);
    }
    boolean classes = train.target().type() == ElementType.INT32;
    int outputs =
        classes ? train.classNames().size() : Math.toIntExact(train.target().shape().elements());
    BuiltIn.Output kind =
        classes ? BuiltIn.Output.CLASSES : labels ? BuiltIn.Output.LABELS : BuiltIn.Output.VALUES;
    Loss chosen = loss();
    if (chosen != null) {
      requireTask(chosen, classes || labels);
      requireShape(chosen, classes, outputs);
      kind = chosen.answers();
    } else if (classes && outputs == 2 && outputsOfFile() == 1) {
      kind = BuiltIn.Output.LABELS;
    }
    outputs = classes && kind == BuiltIn.Output.LABELS ? 1 : outputs;
    if (updates.weighsClasses() && !classes && !labels) {
      throw new CremaException("--class-weights is for classes, but the label holds numbers");
    }
    long[] shape = train.inputs().get(0).shape().dims();
    return Model.of(BuiltIn.topology(model, shape, kind, outputs), common.seed());
  }

  /** How many numbers the model of a topology file gives; -1 if the model is no file. */
  private long outputsOfFile() {
    return model.endsWith(".json")
        ? TopologyFormat.read(Path.of(model)).outputTypes().get(0).elements().perExample()
        : -1;
  }

  private void requireTask(Loss chosen, boolean classes) {
    boolean ofClasses = chosen.answers() != BuiltIn.Output.VALUES;
    if (ofClasses != classes) {
      throw new CremaException(
          String.format(
              Locale.ROOT,
              "The loss %s is for %s, but the label holds %s. Use --task %s, or another loss.",
              chosen.name(),
              ofClasses ? "classes" : "numbers",
              classes ? "classes" : "numbers",
              ofClasses ? "classification" : "regression"));
    }
  }

  private static void requireShape(Loss chosen, boolean classes, int outputs) {
    boolean binary = chosen.answers() == BuiltIn.Output.LABELS;
    if (!classes && chosen.answers() == BuiltIn.Output.CLASSES) {
      throw new CremaException(
          "The loss "
              + chosen.name()
              + " is for one class of several, but there are several labels. Use"
              + " binary_crossentropy.");
    }
    if (classes && binary && outputs != 2) {
      throw new CremaException(
          "The loss "
              + chosen.name()
              + " is for two classes, but the label has "
              + outputs
              + ". Use categorical_crossentropy.");
    }
  }

  private History fit(Model trained, Dataset train, Dataset held) {
    Optimizer chosen = updates.optimizer();
    if (!Double.isNaN(weightDecay)) {
      chosen = chosen.withWeightDecay(weightDecay);
    }
    Trainer trainer =
        Trainer.of(trained)
            .precision(precision)
            .optimizer(chosen)
            .schedule(schedule(chosen.learningRate()))
            .epochs(epochs == null ? usualEpochs(train.size()) : epochs)
            .batchSize(updates.batchSize())
            .seed(common.seed())
            .threads(common.threads())
            .device(common.device())
            .clipNorm(clipNorm)
            .progress(true);
    Loss asked = loss();
    if (asked != null) {
      trainer.loss(asked);
    }
    updates.weighClasses(trainer, train);
    if (held != null) {
      trainer.validation(held);
    }
    if (patience != 0) {
      trainer.callback(EarlyStopping.minimise("val_loss", patience));
    }
    if (log != null) {
      trainer.callback(EpochLog.of(log));
    }
    trainer.checkpoint(checkpoint()).resume(resume);
    if (watch == null) {
      return trainer.fit(train);
    }
    String run = data.getFileName() + ", " + model;
    return WatchedTraining.fit(trainer, train, watch, run, common.text());
  }

  /** With few steps in an epoch, 20 epochs are not enough to learn anything. */
  private int usualEpochs(long examples) {
    if (examples < 1) {
      return EPOCHS;
    }
    long steps = (examples + updates.batchSize() - 1) / updates.batchSize();
    return (int) Math.max(EPOCHS, Math.min(MOST_EPOCHS, LEAST_STEPS / steps));
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
