package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.compress.CalibrationMethod;
import dev.crema.compress.Comparison;
import dev.crema.compress.Figures;
import dev.crema.compress.Quantizer;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.io.ModelArchive;
import dev.crema.nn.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Makes a saved model's dense layers int8. */
@Command(
    name = "quantize",
    description =
        "Makes a saved model's dense layers compute in int8, and measures both: a smaller file, and"
            + " less time where the layers are big enough.",
    mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {
  /** How weights and inputs become bytes. */
  enum Method {
    STATIC
  }

  @Mixin private CommonOptions common;
  @Mixin private DataArguments dataArguments;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(
      names = "--data",
      required = true,
      description = "File or folder with examples, to calibrate with and to measure on.")
  private Path data;

  @Option(names = "--out", required = true, description = "Folder or .zip for the int8 model.")
  private Path out;

  @Option(
      names = "--method",
      defaultValue = "STATIC",
      description =
          "static: int8 weights, and inputs whose ranges are calibrated (default:"
              + " ${DEFAULT-VALUE}).")
  private Method method;

  @Option(
      names = "--calibration",
      defaultValue = "min-max",
      converter = Calibration.class,
      completionCandidates = Calibration.class,
      description =
          "How the ranges are chosen: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private CalibrationMethod calibration;

  @Option(
      names = "--calibration-examples",
      defaultValue = "1000",
      description = "Examples to calibrate with, from the first on (default: ${DEFAULT-VALUE}).")
  private int calibrationExamples;

  @Option(
      names = "--exclude",
      split = ",",
      description = "Layers to leave in float32, by name (`crema inspect` shows them).")
  private String[] exclude = {};

  @Override
  public Integer call() {
    ModelArchive.requireReplaceable(out);
    if (calibrationExamples < 1) {
      throw new CremaException(
          "--calibration-examples must be at least 1, got " + calibrationExamples);
    }
    try (Model before = Model.load(model)) {
      OneOutput.require(before.topology(), "" + model);
      Dataset examples =
          Datasets.open(
              data,
              EvaluateCommand.preprocessing(before, model),
              dataArguments.options(0, common.seed()));
      Quantizer quantizer =
          Quantizer.standard().withCalibration(calibration).without(exclude).on(common.device());
      try (Model after = quantizer.quantize(before, examples.take(calibrationExamples))) {
        Comparison comparison =
            Comparison.of(before, after, examples, common.threads(), common.device());
        after.save(out);
        return report(after, comparison);
      }
    }
  }

  private int report(Model after, Comparison comparison) {
    List<String> layers = List.copyOf(after.quantization().layers().keySet());
    List<String> warnings = warnings(comparison);
    common.text().println("int8: " + String.join(", ", layers));
    common.text().println(comparison);
    warnings.forEach(w -> common.text().println("Warning: " + w));
    common.text().println("Model: " + out);
    ObjectNode json = comparison.toJson();
    json.put("model", out.toString())
        .put("method", "static")
        .put("calibration", calibration.toString());
    layers.forEach(json.putArray("layers")::add);
    warnings.forEach(json.putArray("warnings")::add);
    return common.finish(json);
  }

  /** What a user should know before the model is used in place of the other. */
  private static List<String> warnings(Comparison comparison) {
    Figures before = comparison.models().get(0);
    Figures after = comparison.models().get(1);
    List<String> warnings = new ArrayList<>();
    if (after.nanosOf1() > before.nanosOf1() || after.nanosOf32() > before.nanosOf32()) {
      warnings.add(
          "on this machine the int8 model is slower for a batch of "
              + (after.nanosOf1() > before.nanosOf1() ? 1 : 32)
              + "; its layers are too small to pay, or the processor has no int8 products. Keep the"
              + " float32 model, or leave small layers out with --exclude.");
    }
    return warnings;
  }

  /** The names of {@link CalibrationMethod}, as users write them. */
  static final class Calibration extends ArrayList<String>
      implements ITypeConverter<CalibrationMethod> {
    private static final long serialVersionUID = 1L;

    Calibration() {
      for (CalibrationMethod m : CalibrationMethod.values()) {
        add(m.toString());
      }
    }

    @Override
    public CalibrationMethod convert(String name) {
      for (CalibrationMethod m : CalibrationMethod.values()) {
        if (m.toString().equals(name)) {
          return m;
        }
      }
      throw new TypeConversionException("'" + name + "' is not one of " + String.join(", ", this));
    }
  }
}
