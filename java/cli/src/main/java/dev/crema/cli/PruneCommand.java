package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.compress.Comparison;
import dev.crema.compress.IterativePruning;
import dev.crema.compress.Pattern;
import dev.crema.compress.Pruner;
import dev.crema.compress.Scope;
import dev.crema.compress.Sensitivity;
import dev.crema.compress.Shrinker;
import dev.crema.compress.Sparsity;
import dev.crema.compress.SparsitySchedule;
import dev.crema.eval.drift.Reference;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import dev.crema.text.Table;
import dev.crema.train.Evaluator;
import dev.crema.train.History;
import dev.crema.train.TrainingReference;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Prunes a saved model while it trains on. */
@Command(
    name = "prune",
    description =
        "Sets the weights of smallest magnitude of a saved model to 0 while it trains on, and shows"
            + " what that changes. With --sensitivity it only measures which layers bear how much.",
    mixinStandardHelpOptions = true)
final class PruneCommand implements Callable<Integer> {
  private static final Set<String> OF_PRUNING =
      Set.of("--out", "--rounds", "--rewind", "--strip", "--keep-shapes");

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private ModelData modelData;
  @Mixin private FineTuning fineTuning;
  @Mixin private SparsityGrowth growth;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(
      names = "--sparsity",
      description = "Share of the weights that become 0; of a pattern N:M it is 1 - N/M.")
  private Double sparsity;

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

  @Option(
      names = "--rounds",
      description =
          "Prune and train for --epochs in turns, so many times: each takes the same share of what"
              + " is left.")
  private Integer rounds;

  @Option(
      names = "--rewind",
      arity = "0..1",
      fallbackValue = "",
      paramLabel = "MODEL",
      description =
          "Before the training of each round put the weights that are left back to those of this"
              + " earlier model; without a name to those that a training with this --seed begins"
              + " with.")
  private Path rewind;

  @Option(
      names = "--sensitivity",
      description =
          "Prune nothing: show how the model does when one layer alone is pruned, at sparsities"
              + " from 10 to 95 %.")
  private boolean sensitivity;

  @Option(names = "--plot", description = "Draw the sensitivity to this .svg or .png file.")
  private Path plot;

  @Option(names = "--out", description = "Folder or .zip for the pruned model.")
  private Path out;

  @Override
  public Integer call() {
    requireUse();
    Pattern chosen = Pattern.parse(pattern);
    Pruner pruner = Pruner.magnitude().pattern(chosen).scope(scope).exclude(exclude);
    if (!sensitivity) {
      growth.requireUse(spec, chosen, fineTuning.epochs());
    }
    try (Model before = Model.load(model)) {
      OneOutput.require(before.topology(), "" + model);
      if (sensitivity) {
        return measure(before, pruner, chosen);
      }
      ModelArchive.requireReplaceable(out);
      double target = target(chosen);
      ModelData.Parts parts = modelData.open(before, model, common.seed());
      try (Model after = before.copy()) {
        return prune(before, after, pruner, chosen, target, parts);
      }
    }
  }

  private void requireUse() {
    if (sensitivity) {
      String why = "has no effect with --sensitivity, which prunes nothing";
      Usage.refuse(spec, OF_PRUNING, why);
      Usage.refuse(spec, SparsityGrowth.OPTIONS, why);
      Usage.refuse(spec, FineTuning.OPTIONS, why);
      if (plot != null) {
        Results.requirePicture(plot);
      }
      return;
    }
    Usage.refuse(spec, List.of("--plot"), "shows what --sensitivity measures");
    if (out == null) {
      throw new ParameterException(spec.commandLine(), "Missing required option: '--out=<out>'");
    }
    if (rounds == null) {
      Usage.refuse(spec, List.of("--rewind"), "is for what is pruned in --rounds");
    } else {
      Usage.refuse(
          spec,
          SparsityGrowth.OPTIONS,
          "has no effect with --rounds, which follow their own course");
      Usage.refuse(spec, List.of("--resume"), "is for one training, not for those of --rounds");
      if (fineTuning.epochs() == 0) {
        throw new CremaException("Rounds prune and train in turns: --epochs 1 or more");
      }
    }
  }

  /** Shows which layers bear how much. */
  private int measure(Model dense, Pruner pruner, Pattern chosen) {
    ModelData.Parts parts = modelData.open(dense, model, common.seed());
    double[] sparsities =
        sparsity != null || chosen instanceof Pattern.NOfM
            ? new double[] {target(chosen)}
            : new double[0];
    common.text().println("Measuring on " + parts.measured());
    Sensitivity measured =
        Sensitivity.of(dense, parts.held(), pruner, common.threads(), common.device(), sparsities);
    common.text().print(measured);
    ObjectNode document = measured.toJson();
    document.set("data", parts.toJson());
    if (plot != null) {
      measured.plot().write(plot);
      common.text().println("Plot: " + plot);
      document.put("plot", "" + plot);
    }
    return common.finish(document);
  }

  private int prune(
      Model before,
      Model after,
      Pruner pruner,
      Pattern chosen,
      double target,
      ModelData.Parts parts) {
    ObjectNode document = Json.mapper().createObjectNode();
    document.put("model", out.toString());
    document.set("data", parts.toJson());
    common.text().println(parts.describe("Training on"));
    if (chosen instanceof Pattern.Channel) {
      Map<String, String> staying = Shrinker.obstacles(before);
      ObjectNode reasons = document.putObject("layers_that_keep_their_channels");
      staying.forEach(reasons::put);
      staying.forEach((layer, why) -> common.text().println(layer + " keeps its channels: " + why));
    }
    if (rounds != null) {
      document.set("rounds", inRounds(before, after, pruner, target, parts));
    } else if (fineTuning.epochs() == 0) {
      pruner.prune(after, target);
    } else {
      SparsitySchedule sparsities =
          growth.of(chosen, target, () -> fineTuning.steps(parts.train()));
      common.text().println("Sparsity: " + sparsities);
      History history =
          fineTuning
              .resumable(fineTuning.trainer(after, parts.train(), common), out, before)
              .validation(parts.held())
              .callback(pruner.during(sparsities))
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
      if (saved.metadata().has(Reference.KEY)) {
        TrainingReference.store(
            saved, parts.train(), common.seed(), common.threads(), common.device());
      }
      Results.save(saved, out);
      FineTuning.forget(out);
      Comparison comparison =
          Comparison.of(before, saved, parts.held(), common.threads(), common.device());
      common.text().println(comparison);
      common.text().println("Model: " + out);
      document.setAll(comparison.toJson());
    }
    return common.finish(document);
  }

  /** Prunes and trains in turns, and shows what each round left. */
  private ArrayNode inRounds(
      Model before, Model after, Pruner pruner, double target, ModelData.Parts parts) {
    IterativePruning pruning = IterativePruning.of(pruner, target, rounds);
    try (Model start = rewind == null ? null : earlier(before);
        Evaluator evaluator =
            Evaluator.of(after, parts.held(), common.threads(), common.device())) {
      List<IterativePruning.Round> results =
          (start == null ? pruning : pruning.rewindTo(start))
              .run(
                  after,
                  m ->
                      fineTuning
                          .trainer(m, parts.train(), common)
                          .validation(parts.held())
                          .fit(parts.train()),
                  m -> evaluator.evaluate(parts.held()));
      Table table = Table.of("round", "sparsity", "", "loss");
      ArrayNode json = Json.mapper().createArrayNode();
      for (IterativePruning.Round r : results) {
        table.row(
            r.round(),
            String.format(Locale.ROOT, "%.2f %%", 100 * r.sparsity()),
            r.evaluation().mainMetrics(),
            r.evaluation().loss());
        ObjectNode row = json.addObject().put("round", r.round()).put("sparsity", r.sparsity());
        r.evaluation().mainMetrics().forEach(row::put);
        row.put("loss", r.evaluation().loss());
      }
      common.text().println(table);
      return json;
    }
  }

  /** What the rounds go back to; the caller closes it. */
  private Model earlier(Model before) {
    return rewind.toString().isEmpty()
        ? Model.of(before.topology(), common.seed())
        : Model.load(rewind);
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
}
