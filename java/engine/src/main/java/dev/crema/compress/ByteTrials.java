package dev.crema.compress;

import dev.crema.device.Device;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Tries models with quantized weights: all of their layers, or with some of them left float32. To
 * have another way of quantizing tried, add it to {@link #calibrated} or {@link #others}.
 */
final class ByteTrials {
  private static final double USUAL_ALPHA = 0.5; // of SmoothQuant
  private static final double QUANTIZATION_AWARE_RATE = 0.1; // of the usual learning rate

  /** A way of quantizing, as its name in a candidate's. */
  private record Way(String name, Quantizer quantizer) {
    Way without(List<String> layers) {
      String[] names = layers.toArray(new String[0]);
      return new Way(name + " without " + String.join(", ", names), quantizer.without(names));
    }
  }

  private static final Way INT4 =
      new Way("int4 weights", Quantizer.weightOnly(4, Quantizer.GROUP_SIZE));

  private final CandidateSearch search;
  private Way best; // of those that are calibrated, for the original; null: none can be
  private List<String> floats = List.of(); // layers without which that passed

  ByteTrials(CandidateSearch search) {
    this.search = search;
  }

  private List<Way> calibrated() {
    List<Way> all = new ArrayList<>();
    for (CalibrationMethod method : CalibrationMethod.values()) {
      Quantizer quantizer = Quantizer.standard().on(search.settings().device);
      all.add(new Way("int8 (" + method + ")", quantizer.withCalibration(method)));
    }
    return all;
  }

  /** Of dense layers alone; fp8, which the CPU computes in float32, on cards only. */
  private List<Way> others() {
    List<Way> all = new ArrayList<>();
    all.add(new Way("int8 (dynamic)", Quantizer.dynamic()));
    all.add(new Way("int8 weights", Quantizer.weightOnly(8, 0)));
    all.add(INT4);
    Device device = search.settings().device;
    if (!device.name().equals(Device.cpu().name())) {
      all.add(new Way("fp8", Quantizer.fp8().on(device)));
    }
    return all;
  }

  /** Tries the original in every way, and finds out how models made of it are to be tried. */
  void ofTheOriginal() {
    Model original = search.settings().model;
    calibrated(original);
    for (Way way : others()) {
      try (Attempt a = attempt("", way, original)) {
        if (a.figures() == null) {
          break; // without a dense layer there is no other either
        }
      }
    }
  }

  private void calibrated(Model model) {
    double quality = Double.NEGATIVE_INFINITY;
    boolean accurate = false;
    boolean passed = false;
    for (Way way : calibrated()) {
      try (Attempt a = attempt("", way, model)) {
        if (a.figures() == null && best == null) {
          return; // nor can any other
        }
        if (best == null || search.qualityOf(a) > quality) {
          best = way;
          quality = search.qualityOf(a);
        }
        accurate |= a.isAccurate();
        passed |= a.passed();
      }
    }
    if (!accurate) {
      Way smooth = new Way(best.name + ", smoothed", best.quantizer.withSmoothing(USUAL_ALPHA));
      attempt("", smooth, model).close();
      List<String> sensitive = mostSensitive(model);
      floats = leaveFloat(model, sensitive.subList(0, sensitive.size() - 1));
      train("", model);
    } else if (!passed) {
      floats = leaveFloat(model, smallest(model));
    }
  }

  /** Leaves one more of those layers float32 at a time; gives those without which that passed. */
  private List<String> leaveFloat(Model model, List<String> layers) {
    for (int count = 1; count <= layers.size(); count++) {
      List<String> left = layers.subList(0, count);
      try (Attempt a = attempt("", best.without(left), model)) {
        if (a.passed()) {
          return List.copyOf(left);
        }
      }
    }
    return List.of();
  }

  /**
   * Tries a model that was made of the original, by the best of its ways. Where that does not pass:
   * with those layers left float32 that the original had to leave so, or else the one that suffers
   * most here; where it is not accurate trained with its weights rounded, too.
   *
   * @param name of how it was made
   */
  void of(String name, Model model) {
    if (search.settings().target == Target.SIZE) {
      attempt(name, INT4, model).close();
    }
    if (best == null) {
      return;
    }
    boolean accurate;
    try (Attempt a = attempt(name, best, model)) {
      if (a.figures() == null || a.passed()) {
        return;
      }
      accurate = a.isAccurate();
    }
    List<String> left = floats;
    if (left.isEmpty() && !accurate) {
      List<String> sensitive = mostSensitive(model);
      left = sensitive.subList(0, Math.min(1, sensitive.size() - 1));
    }
    if (!left.isEmpty()) {
      attempt(name, best.without(left), model).close();
    }
    if (!accurate) {
      train(name, model);
    }
  }

  private Attempt attempt(String of, Way way, Model model) {
    return search.attempt(
        named(of, way.name), () -> way.quantizer.quantize(model, search.calibration()));
  }

  private static String named(String of, String way) {
    return of.isEmpty() ? way : of + ", " + way;
  }

  private List<String> mostSensitive(Model model) {
    Compression settings = search.settings();
    return QuantizationSensitivity.of(
            model,
            best.quantizer,
            search.calibration(),
            search.choice(),
            settings.threads,
            settings.device)
        .mostSensitive();
  }

  /** The smaller half of the layers, which bytes can make little faster. */
  private List<String> smallest(Model model) {
    List<String> layers = best.quantizer.layers(model);
    return layers.stream()
        .sorted(Comparator.comparingLong(name -> weights(model, name)))
        .limit(layers.size() / 2)
        .toList();
  }

  private static long weights(Model model, String layer) {
    return model.table().get(Quantization.kernelOf(model.topology(), layer)).elements();
  }

  private void train(String of, Model model) {
    if (search.settings().epochs > 0) {
      search
          .attempt(
              named(of, best.name + ", trained"),
              () ->
                  QuantizationAwareTraining.train(
                      model,
                      best.quantizer,
                      search.calibration(),
                      t -> search.trainer(t, QUANTIZATION_AWARE_RATE).fit(search.train())))
          .close();
    }
  }
}
