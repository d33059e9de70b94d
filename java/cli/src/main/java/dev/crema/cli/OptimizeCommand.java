package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.compress.Compression;
import dev.crema.compress.CompressionResult;
import dev.crema.compress.Quality;
import dev.crema.compress.Target;
import dev.crema.compress.Trial;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Looks for a faster or a smaller form of a saved model. */
@Command(
    name = "optimize",
    description =
        "Tries int8, pruning and both on a saved model, and keeps the fastest or smallest form that"
            + " is measurably better on this machine and nearly as accurate. If none is, --out gets"
            + " the model as it was.",
    mixinStandardHelpOptions = true)
final class OptimizeCommand implements Callable<Integer> {
  private static final double NANOS_PER_MINUTE = 60e9;

  @Mixin private CommonOptions common;
  @Mixin private ModelData modelData;
  @Mixin private UpdateOptions updates;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(
      names = "--max-accuracy-drop",
      defaultValue = "0.005",
      description =
          "How much accuracy may be lost, as a share: 0.005 is half a point; of a regression how"
              + " much of R² (default: ${DEFAULT-VALUE}).")
  private double maxAccuracyDrop;

  @Option(
      names = "--metric",
      description =
          "What --max-accuracy-drop bounds: ${COMPLETION-CANDIDATES} (default: ACCURACY, of a"
              + " regression R2). With rare classes BALANCED_ACCURACY, the mean of their recalls.")
  private Quality metric;

  @Option(
      names = "--target",
      defaultValue = "LATENCY",
      description =
          "${COMPLETION-CANDIDATES}: the time of predictions at batch 1 and 32, or the bytes of the"
              + " file (default: ${DEFAULT-VALUE}).")
  private Target target;

  @Option(
      names = "--epochs",
      defaultValue = "3",
      description =
          "Of each training of a pruned or quantized form; 0: none is trained (default:"
              + " ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--budget",
      paramLabel = "MINUTES",
      description = "When to stop searching; what was found until then counts (default: never).")
  private Double budget;

  @Option(
      names = "--plot",
      description = "Draw accuracy against latency or size to this .svg or .png file.")
  private Path plot;

  @Option(names = "--out", required = true, description = "Folder or .zip for what is kept.")
  private Path out;

  @Override
  public Integer call() {
    ModelArchive.requireReplaceable(out);
    if (plot != null) {
      Results.requirePicture(plot);
    }
    try (Model before = Model.load(model)) {
      OneOutput.require(before.topology(), "" + model);
      try (CompressionResult result = compression(before).run()) {
        if (result.paid()) {
          ObjectNode made = result.model().metadata().putObject("compression");
          made.put("form", result.kept().name()).put("max_accuracy_drop", maxAccuracyDrop);
        }
        Results.save(result.model(), out);
        if (plot != null) {
          result.plot().write(plot);
        }
        return report(result);
      }
    }
  }

  private Compression compression(Model before) {
    ModelData.Parts parts = modelData.openToChoose(before, model, common.seed());
    if (parts.from() == ModelData.Held.THE_SAME) {
      throw new CremaException(
          "There are no examples to judge by but those to train on: give others with --validation,"
              + " or a --validation-split");
    }
    updates.requireClasses(before.metadata().path("loss").asText(""));
    Compression compression =
        Compression.optimize(before, parts.train())
            .validation(parts.held())
            .maxAccuracyDrop(maxAccuracyDrop)
            .target(target)
            .epochs(epochs)
            .batchSize(updates.batchSize())
            .optimizer(updates.optimizer())
            .training(trainer -> updates.weighClasses(trainer, parts.train()))
            .seed(common.seed())
            .threads(common.threads())
            .device(common.device())
            .listener(new Progress());
    if (metric != null) {
      compression.quality(metric);
    }
    if (parts.test() != null) {
      compression.test(parts.test());
    }
    if (budget != null) {
      compression.budget(Duration.ofNanos(Math.round(budget * NANOS_PER_MINUTE)));
    }
    return compression;
  }

  /** A line for each form while it is tried. */
  private final class Progress implements Compression.Listener {
    @Override
    public void starting(String name) {
      common.text().print(name + " … ");
      common.text().flush();
    }

    @Override
    public void tried(Trial trial) {
      if (trial.outcome() != Trial.Outcome.ORIGINAL) {
        String outcome = trial.outcome().name().toLowerCase(Locale.ROOT);
        String reason = trial.reason().isEmpty() ? "" : ": " + trial.reason();
        common.text().println(outcome + reason);
      }
    }
  }

  private int report(CompressionResult result) {
    common.text().println();
    common.text().println(result);
    common.text().println("Model: " + out + (result.paid() ? "" : " (as it was)"));
    ObjectNode document = result.toJson();
    document.put("model", out.toString());
    if (plot != null) {
      common.text().println("Plot: " + plot);
      document.put("plot", plot.toString());
    }
    return common.finish(document);
  }
}
