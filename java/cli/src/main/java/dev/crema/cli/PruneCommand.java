package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.compress.Comparison;
import dev.crema.compress.Pattern;
import dev.crema.compress.Pruner;
import dev.crema.compress.Scope;
import dev.crema.compress.Shrinker;
import dev.crema.compress.Sparsity;
import dev.crema.compress.SparsitySchedule;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import dev.crema.train.History;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prunes a saved model while it trains on. */
@Command(
    name = "prune",
    description =
        "Sets the weights of smallest magnitude of a saved model to 0 while it trains on, and shows"
            + " what that changes.",
    mixinStandardHelpOptions = true)
final class PruneCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelData modelData;
  @Mixin private FineTuning fineTuning;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(
      names = "--sparsity",
      description = "Share of the weights that become 0; of a pattern N:M it is 1 - N/M.")
  private Double sparsity;

  @Option(
      names = "--schedule",
      defaultValue = "POLYNOMIAL",
      description =
          "${COMPLETION-CANDIDATES}: over the first two thirds of the training, fast at first; or"
              + " all before it (default: ${DEFAULT-VALUE}; constant for N:M).")
  private Schedule schedule;

  @Option(
      names = "--initial-sparsity",
      description = "What a polynomial schedule begins with (default: half of the sparsity).")
  private Double initialSparsity;

  @Option(
      names = "--frequency",
      description =
          "Steps from one pruning to the next (default: a twentieth of them, at most 100).")
  private Integer frequency;

  @Option(
      names = "--pattern",
      defaultValue = "unstructured",
      description =
          "What is pruned as one: unstructured, N:M such as 2:4, block:RxC such as block:4x4, or"
              + " channel (default: ${DEFAULT-VALUE}).")
  private String pattern;

  @Option(
      names = "--scope",
      defaultValue = "LAYER",
      description =
          "${COMPLETION-CANDIDATES}: each layer to the sparsity, or the smallest weights of all"
              + " (default: ${DEFAULT-VALUE}).")
  private Scope scope;

  @Option(names = "--exclude", split = ",", description = "Layers to leave as they are, by name.")
  private String[] exclude = {};

  @Option(
      names = "--keep-shapes",
      description =
          "Of pruned channels only set the weights to 0, and leave the layers their size.")
  private boolean keepShapes;

  @Option(
      names = "--strip",
      description = "Save plain weights: a later training changes the zeros.")
  private boolean strip;

  @Option(names = "--out", required = true, description = "Folder or .zip for the pruned model.")
  private Path out;

  /** How the sparsity grows. */
  enum Schedule {
    POLYNOMIAL,
    CONSTANT
  }

  @Override
  public Integer call() {
    ModelArchive.requireReplaceable(out);
    Pattern chosen = Pattern.parse(pattern);
    double target = target(chosen);
    Pruner pruner = Pruner.magnitude().pattern(chosen).scope(scope).exclude(exclude);
    try (Model before = Model.load(model);
        Model after = before.copy()) {
      OneOutput.require(before.topology(), "" + model);
      ModelData.Parts parts = modelData.open(before, model, common.seed());
      ObjectNode document = Json.mapper().createObjectNode();
      document.put("model", out.toString());
      document.set("data", parts.toJson());
      common.text().println(parts.describe("Training on"));
      if (fineTuning.epochs() == 0) {
        pruner.prune(after, target);
      } else {
        SparsitySchedule growth = growth(chosen, target, parts);
        common.text().println("Sparsity: " + growth);
        History history =
            fineTuning
                .trainer(after, common)
                .validation(parts.held())
                .callback(pruner.during(growth))
                .fit(parts.train());
        document.set("history", history.toJson());
      }
      Sparsity result = Sparsity.of(after);
      common.text().println(result);
      document.set("sparsity", result.toJson());
      if (strip) {
        Pruner.strip(after);
      }
      after.metadata().putObject("pruning").put("pattern", "" + chosen).put("sparsity", target);
      boolean shrink = chosen instanceof Pattern.Channel && !keepShapes;
      try (Model small = shrink ? Shrinker.shrink(after) : null) {
        Model saved = shrink ? small : after;
        saved.save(out);
        Comparison comparison =
            Comparison.of(before, saved, parts.held(), common.threads(), common.device());
        common.text().println(comparison);
        common.text().println("Model: " + out);
        document.setAll(comparison.toJson());
      }
      return common.finish(document);
    }
  }

  private double target(Pattern chosen) {
    if (sparsity != null) {
      return sparsity;
    }
    if (chosen instanceof Pattern.NOfM ratio) {
      return 1 - (double) ratio.n() / ratio.m();
    }
    throw new CremaException("--sparsity says what share of the weights becomes 0, such as 0.9");
  }

  private SparsitySchedule growth(Pattern chosen, double target, ModelData.Parts parts) {
    if (schedule == Schedule.CONSTANT || chosen instanceof Pattern.NOfM) {
      return SparsitySchedule.constant(target);
    }
    double initial = initialSparsity != null ? initialSparsity : target / 2;
    SparsitySchedule growth =
        SparsitySchedule.overTraining(initial, target, fineTuning.steps(parts.train()));
    return frequency == null ? growth : growth.every(frequency);
  }
}
