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

/** Makes a saved model's layers int8. */
@Command(
    name = "quantize",
    description =
        "Makes a saved model's dense layers and convolutions compute in int8, measures both, and"
            + " keeps the int8 model if it is not slower here.",
    mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
  private static final Set<String> CALIBRATION = Set.of("--calibration", "--calibration-examples");

  private static final String CALIBRATED = "Calibrating on %,d of";

  /** Straight-through gradients are rough, and the model is trained already. */
  private static final double SHARE_OF_THE_RATE = 0.1;

  /** How weights and inputs become bytes. */
  enum Method {
    STATIC(true, false),
    QAT(true, true);

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

  @Option(names = "--out", required = true, description = "Folder or .zip for the int8 model.")
  private Path out;

  @Option(
      names = "--method",
      defaultValue = "static",
      description =
          "static: int8 weights, and inputs whose ranges are calibrated; qat: the model is trained"
              + " on with both rounded, by default at a tenth of the optimiser's usual learning"
              + " rate (default: ${DEFAULT-VALUE}).")
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
      names = "--exclude",
      split = ",",
      description = "Layers to leave in float32, by name (`crema inspect` shows them).")
  private String[] exclude = {};

  @Option(
      names = "--keep-slower",
      description = "Write the int8 model even where it is slower on this machine: it is smaller.")
  private boolean keepSlower;

  @Override
  public Integer call() {
    requireUse(CALIBRATION, m -> m.calibrates);
    requireUse(FineTuning.OPTIONS, m -> m.trains);
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
      Dataset examples = parts.sample(calibrationExamples, common.seed());
      ObjectNode document = Json.mapper().createObjectNode();
      document.set("data", parts.toJson().put("calibration_examples", examples.size()));
      String calibrated =
          examples.size() < 0 ? "Calibrating on" : CALIBRATED.formatted(examples.size());
      common.text().println(parts.describe(calibrated));
      try (Model after = quantized(before, parts, examples, document)) {
        Comparison comparison =
            Comparison.of(before, after, parts.held(), common.threads(), common.device());
        return finish(after, comparison, document);
      }
    }
  }

  /** Refuses options of which the method would make nothing. */
  private void requireUse(Set<String> options, Predicate<Method> uses) {
    if (!uses.test(method)) {
      List<Method> others = Arrays.stream(Method.values()).filter(uses).toList();
      Usage.refuse(spec, options, "is of --method " + others + ", not of " + method);
    }
  }

  private Model quantized(
      Model before, ModelData.Parts parts, Dataset examples, ObjectNode document) {
    Quantizer plain =
        Quantizer.standard().withCalibration(calibration).without(exclude).on(common.device());
    Quantizer quantizer = smoothing == null ? plain : plain.withSmoothing(smoothing);
    return switch (method) {
      case STATIC -> quantizer.quantize(before, examples);
      case QAT ->
          QuantizationAwareTraining.train(
              before,
              quantizer,
              examples,
              trainer ->
                  document.set(
                      "history",
                      fineTuning
                          .configure(trainer, before, common, SHARE_OF_THE_RATE)
                          .validation(parts.held())
                          .fit(parts.train())
                          .toJson()));
    };
  }

  /** Shows both, and saves the int8 model if it is worth having. */
  int finish(Model after, Comparison comparison, ObjectNode document) {
    List<String> layers = List.copyOf(after.quantization().layers().keySet());
    common.text().println("int8: " + String.join(", ", layers));
    common.text().println(comparison);
    String factors = Results.slower(comparison.models().get(0), comparison.models().get(1));
    String slower =
        factors == null ? null : "on this machine the int8 model takes " + factors + ".";
    boolean kept = slower == null || keepSlower;
    document.setAll(comparison.toJson());
    document.put("method", "" + method).put("calibration", "" + calibration).put("kept", kept);
    if (smoothing != null) {
      document.put("smoothing", smoothing);
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
                  + " --exclude, or keep the int8 model for its size with --keep-slower.");
      return common.finish(document, 1);
    }
    after.save(out);
    if (slower != null) {
      common.text().println("Warning: " + slower);
    }
    common.text().println("Model: " + out);
    return common.finish(document.put("model", "" + out));
  }
}
