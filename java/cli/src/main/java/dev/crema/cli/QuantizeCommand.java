package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.compress.CalibrationMethod;
import dev.crema.compress.Comparison;
import dev.crema.compress.QuantizationAwareTraining;
import dev.crema.compress.Quantizer;
import dev.crema.data.Dataset;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.nn.Topology;
import dev.crema.pass.QuantizationScheme;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Gives a saved model's layers weights of int8, int4 or fp8. */
@Command(
    name = "quantize",
    description =
        "Makes a saved model's dense layers and convolutions compute in int8, or its dense layers"
            + " with weights of int8, int4 or fp8, measures both, and keeps the quantized model if"
            + " it is not slower here.",
    mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
  private static final Set<String> CALIBRATION =
      Set.of("--calibration", "--calibration-examples", "--smoothing");

  private static final Set<String> WEIGHTS = Set.of("--bits", "--group-size");

  private static final int MOST_COMPARISONS = 3;

  private static final String CALIBRATED = "Calibrating on %,d of";

  /** Straight-through gradients are rough, and the model is trained already. */
  private static final double SHARE_OF_THE_RATE = 0.1;

  /** How weights and inputs become bytes. */
  enum Method {
    STATIC(true, false),
    QAT(true, true),
    DYNAMIC(false, false),
    WEIGHT_ONLY(false, false),
    FP8(true, false);

    private final boolean calibrates;
    private final boolean trains;

    Method(boolean calibrates, boolean trains) {
      this.calibrates = calibrates;
      this.trains = trains;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @Mixin private ModelData modelData;
  @Mixin private FineTuning fineTuning;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(names = "--out", required = true, description = "Folder or .zip for the new model.")
  private Path out;

  @Option(
      names = "--method",
      defaultValue = "static",
      description =
          "static: int8 weights, and inputs whose ranges are calibrated; qat: the model is trained"
              + " on with both rounded, by default at a tenth of the optimiser's usual learning"
              + " rate; dynamic: int8 weights of dense layers, and inputs whose ranges are found at"
              + " each prediction, row by row; weight-only: weights of dense layers in --bits, and"
              + " inputs in float32; fp8: weights and inputs of dense layers in E4M3, the inputs of"
              + " a calibrated scale, for CUDA cards (default: ${DEFAULT-VALUE}). Predictors use"
              + " the last three where they are faster.")
  private Method method;

  @Option(
      names = "--calibration",
      defaultValue = "min-max",
      description =
          "How the ranges are chosen: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private CalibrationMethod calibration;

  @Option(
      names = "--calibration-examples",
      defaultValue = "1000",
      description =
          "How many of the examples to train on it calibrates with, chosen by the seed with all"
              + " classes in their proportions (default: ${DEFAULT-VALUE}).")
  private int calibrationExamples;

  @Option(
      names = "--smoothing",
      paramLabel = "ALPHA",
      description =
          "Before it quantizes, moves the reach of single channels to the weights that read them"
              + " (SmoothQuant): a share of 0 to 1, 0.5 is usual. For transformers (default:"
              + " none).")
  private Double smoothing;

  @Option(
      names = "--bits",
      defaultValue = "8",
      description = "Of a weight, 8 or 4, for --method weight-only (default: ${DEFAULT-VALUE}).")
  private int bits;

  @Option(
      names = "--group-size",
      paramLabel = "N",
      description =
          "How many inputs share a scale of an output, a multiple of 8, or 0 for all, for --method"
              + " weight-only (default: 64 with 4 bits, 0 with 8).")
  private Integer groupSize;

  @Option(
      names = "--exclude",
      split = ",",
      description = "Layers to leave in float32, by name (`crema inspect` shows them).")
  private String[] exclude = {};

  @Option(
      names = "--keep-slower",
      description =
          "Write the quantized model even where it is slower on this machine: it is smaller.")
  private boolean keepSlower;

  @Override
  public Integer call() {
    requireUse(CALIBRATION, m -> m.calibrates);
    requireUse(FineTuning.OPTIONS, m -> m.trains);
    requireUse(WEIGHTS, m -> m == Method.WEIGHT_ONLY);
    Quantizer quantizer = quantizer();
    ModelArchive.requireReplaceable(out);
    if (calibrationExamples < 1) {
      throw new CremaException(
          "--calibration-examples must be at least 1, got " + calibrationExamples);
    }
    if (method == Method.QAT && fineTuning.epochs() == 0) {
      throw new CremaException(
          "--method qat trains: --epochs 1 or more. Without a training it is --method static.");
    }
    try (Model before = Model.load(model)) {
      OneOutput.require(before.topology(), "" + model);
      ModelData.Parts parts = modelData.open(before, model, common.seed());
      ObjectNode document = Json.mapper().createObjectNode();
      Dataset examples = examples(parts, document);
      try (Model after = quantized(before, quantizer, parts, examples, document)) {
        return finish(after, compare(before, after, parts.held()), document);
      }
    }
  }

  /** Measures again what seems slower: a training must not be lost because the machine was busy. */
  private Comparison compare(Model before, Model after, Dataset held) {
    Comparison comparison = null;
    for (int i = 0; i < MOST_COMPARISONS; i++) {
      comparison = Comparison.of(before, after, held, common.threads(), common.device());
      if (Results.slower(comparison.models().get(0), comparison.models().get(1)) == null) {
        break;
      }
    }
    return comparison;
  }

  /** Refuses options of which the method would make nothing. */
  private void requireUse(Set<String> options, Predicate<Method> uses) {
    if (!uses.test(method)) {
      List<Method> others = Arrays.stream(Method.values()).filter(uses).toList();
      Usage.refuse(spec, options, "is of --method " + others + ", not of " + method);
    }
  }

  /** Those to calibrate with. Says so, if it is done. */
  private Dataset examples(ModelData.Parts parts, ObjectNode document) {
    Dataset examples = parts.train().sample(calibrationExamples, common.seed());
    ObjectNode data = parts.toJson();
    document.set("data", data);
    if (!method.calibrates) {
      common.text().println(parts.describe("Leaving"));
      return examples;
    }
    data.put("calibration_examples", examples.size());
    String calibrated =
        examples.size() < 0 ? "Calibrating on" : CALIBRATED.formatted(examples.size());
    common.text().println(parts.describe(calibrated));
    return examples;
  }

  private Quantizer quantizer() {
    Quantizer quantizer =
        switch (method) {
          case STATIC, QAT -> Quantizer.standard().withCalibration(calibration);
          case FP8 -> Quantizer.fp8().withCalibration(calibration);
          case DYNAMIC -> Quantizer.dynamic();
          case WEIGHT_ONLY -> {
            int usual = bits == 4 ? Quantizer.GROUP_SIZE : 0;
            yield Quantizer.weightOnly(bits, groupSize == null ? usual : groupSize);
          }
        };
    Quantizer chosen = quantizer.without(exclude).on(common.device());
    return smoothing == null ? chosen : chosen.withSmoothing(smoothing);
  }

  private Model quantized(
      Model before,
      Quantizer quantizer,
      ModelData.Parts parts,
      Dataset examples,
      ObjectNode document) {
    return switch (method) {
      case STATIC, DYNAMIC, WEIGHT_ONLY, FP8 -> quantizer.quantize(before, examples);
      case QAT ->
          QuantizationAwareTraining.train(
              before,
              quantizer,
              examples,
              trainer ->
                  document.set(
                      "history",
                      fineTuning
                          .resumable(
                              fineTuning.configure(
                                  trainer, before, parts.train(), common, SHARE_OF_THE_RATE),
                              out,
                              before)
                          .validation(parts.held())
                          .fit(parts.train())
                          .toJson()));
    };
  }

  /** Layers with a kernel or table that are not dense. */
  private static List<String> unsuited(Model model) {
    return model.topology().places().stream()
        .filter(p -> Quantization.supports(p) && !Quantization.supports(p, QuantizationScheme.FP8))
        .map(Topology.Place::name)
        .filter(name -> Quantization.kernelOf(model.topology(), name) != null)
        .toList();
  }

  /** Shows both, and saves the quantized model if it is worth having. */
  int finish(Model after, Comparison comparison, ObjectNode document) {
    List<String> layers = List.copyOf(after.quantization().layers().keySet());
    String type = method == Method.FP8 ? "fp8" : "int" + bits;
    common.text().println(type + ": " + String.join(", ", layers));
    List<String> others = method == Method.FP8 ? unsuited(after) : List.of();
    if (!others.isEmpty()) {
      common.text().println("float32, since fp8 is for dense layers: " + String.join(", ", others));
    }
    common.text().println(comparison);
    String factors = Results.slower(comparison.models().get(0), comparison.models().get(1));
    String slower =
        factors == null ? null : "on this machine the quantized model takes " + factors + ".";
    boolean kept = slower == null || keepSlower;
    document.setAll(comparison.toJson());
    document.put("method", "" + method).put("kept", kept);
    if (smoothing != null) {
      document.put("smoothing", smoothing);
    }
    if (method.calibrates) {
      document.put("calibration", "" + calibration);
    } else {
      QuantizationScheme scheme = after.quantization().layers().values().iterator().next().scheme();
      document.put("bits", scheme.bits()).put("group_size", scheme.groupSize());
    }
    layers.forEach(document.putArray("layers")::add);
    if (slower != null) {
      document.putArray("warnings").add(slower);
    }
    if (!kept) {
      spec.commandLine()
          .getErr()
          .println(
              "crema: "
                  + slower
                  + " Nothing was written. Leave layers that are too small to gain in float32 with"
                  + " --exclude, or keep the quantized model for its size with --keep-slower"
                  + (method.trains ? " --resume, without another training." : "."));
      return common.finish(document, 1);
    }
    Results.save(after, out);
    FineTuning.forget(out);
    if (slower != null) {
      common.text().println("Warning: " + slower);
    }
    common.text().println("Model: " + out);
    return common.finish(document.put("model", "" + out));
  }
}
