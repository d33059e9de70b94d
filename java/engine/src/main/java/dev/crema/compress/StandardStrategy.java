package dev.crema.compress;

import dev.crema.compress.CandidateSearch.Attempt;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import dev.crema.train.Trainer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * What a {@link Compression} tries unless a test says otherwise. To have it try another way of
 * quantizing, add it to {@link #calibrated} or {@link #UNCALIBRATED}; another way of pruning, to
 * {@link #LADDERS}.
 */
final class StandardStrategy implements Strategy {
  private static final double USUAL_ALPHA = 0.5; // of SmoothQuant
  private static final double QUANTIZATION_AWARE_RATE = 0.1; // of the usual learning rate

  private static final double LEAST_MORE = 0.02; // of sparsity than the original has

  /** A pattern, and sparsities of which a higher one is tried as long as the accuracy holds. */
  private record Ladder(Pattern pattern, Scope scope, double... sparsities) {}

  private static final List<Ladder> LADDERS =
      List.of(
          new Ladder(Pattern.channel(), Scope.LAYER, 0.25, 0.5, 0.75),
          new Ladder(Pattern.unstructured(), Scope.GLOBAL, 0.5, 0.75, 0.9, 0.95),
          new Ladder(Pattern.block(4, 4), Scope.GLOBAL, 0.5, 0.75, 0.9),
          new Ladder(Pattern.nOfM(2, 4), Scope.LAYER, 0.5));

  private static final int FIRST = 1; // sparsity of a ladder that is tried first

  /** A way of quantizing, as its name in a candidate's. */
  private record Named(String name, Quantizer quantizer) {}

  private static final Named INT4 =
      new Named("int4 weights", Quantizer.weightOnly(4, Quantizer.GROUP_SIZE));

  private static final List<Named> UNCALIBRATED =
      List.of(
          new Named("int8 (dynamic)", Quantizer.dynamic()),
          new Named("int8 weights", Quantizer.weightOnly(8, 0)),
          INT4);

  @Override
  public void run(CandidateSearch search) {
    Model original = search.settings().model;
    Named best = quantize(search, original);
    for (Named way : UNCALIBRATED) {
      try (Attempt a = search.attempt(way.name, () -> quantized(search, way, original))) {
        if (a.figures() == null) {
          break; // without a dense layer there is no other either
        }
      }
    }
    double zeros = zeros(original);
    for (Ladder ladder : LADDERS) {
      boolean channels = ladder.pattern instanceof Pattern.Channel;
      double least = channels ? 0 : zeros + LEAST_MORE;
      climb(
          search,
          ladder,
          DoubleStream.of(ladder.sparsities).filter(s -> s > least).toArray(),
          best);
    }
  }

  private static List<Named> calibrated(CandidateSearch search) {
    List<Named> all = new ArrayList<>();
    for (CalibrationMethod method : CalibrationMethod.values()) {
      Quantizer quantizer = Quantizer.standard().on(search.settings().device);
      all.add(new Named("int8 (" + method + ")", quantizer.withCalibration(method)));
    }
    return all;
  }

  /** Tries the model itself in bytes; gives the way that cost least accuracy, null if none can. */
  private static Named quantize(CandidateSearch search, Model model) {
    Named best = null;
    double quality = Double.NEGATIVE_INFINITY;
    boolean accurate = false;
    boolean passed = false;
    for (Named way : calibrated(search)) {
      try (Attempt a = search.attempt(way.name, () -> quantized(search, way, model))) {
        if (a.figures() == null && best == null) {
          return null; // nor can any other
        }
        if (a.quality() > quality) {
          best = way;
          quality = a.quality();
        }
        accurate |= a.isAccurate();
        passed |= a.passed();
      }
    }
    if (!accurate) {
      Named smooth = new Named(best.name + ", smoothed", best.quantizer.withSmoothing(USUAL_ALPHA));
      search.attempt(smooth.name, () -> quantized(search, smooth, model)).close();
      List<String> sensitive = mostSensitive(search, model, best);
      leaveFloat(search, model, best, sensitive.subList(0, sensitive.size() - 1));
      trainQuantized(search, "", model, best);
    } else if (!passed) {
      leaveFloat(search, model, best, smallest(model, best));
    }
    return best;
  }

  private static Model quantized(CandidateSearch search, Named way, Model model) {
    return way.quantizer.quantize(model, search.calibration());
  }

  private static List<String> mostSensitive(CandidateSearch search, Model model, Named way) {
    Compression settings = search.settings();
    return QuantizationSensitivity.of(
            model,
            way.quantizer,
            search.calibration(),
            search.choice(),
            settings.threads,
            settings.device)
        .mostSensitive();
  }

  /** The smaller half of the layers, which bytes can make little faster. */
  private static List<String> smallest(Model model, Named way) {
    List<String> layers = way.quantizer.layers(model);
    return layers.stream()
        .sorted(Comparator.comparingLong(name -> weights(model, name)))
        .limit(layers.size() / 2)
        .toList();
  }

  private static long weights(Model model, String layer) {
    return model.table().get(Quantization.kernelOf(model.topology(), layer)).elements();
  }

  /** Leaves one more of those layers float32 at a time, until that passes. */
  private static void leaveFloat(
      CandidateSearch search, Model model, Named way, List<String> layers) {
    for (int count = 1; count <= layers.size(); count++) {
      String[] left = layers.subList(0, count).toArray(new String[0]);
      Named mixed = new Named("", way.quantizer.without(left));
      String name = way.name + " without " + String.join(", ", left);
      try (Attempt a = search.attempt(name, () -> quantized(search, mixed, model))) {
        if (a.passed()) {
          return;
        }
      }
    }
  }

  private static void trainQuantized(CandidateSearch search, String of, Model model, Named way) {
    if (search.settings().epochs > 0) {
      search
          .attempt(
              of + way.name + ", trained",
              () ->
                  QuantizationAwareTraining.train(
                      model,
                      way.quantizer,
                      search.calibration(),
                      t -> search.trainer(t, QUANTIZATION_AWARE_RATE).fit(search.train())))
          .close();
    }
  }

  /** Up while the accuracy holds, else down until it does; then once between the two. */
  private static void climb(CandidateSearch search, Ladder ladder, double[] sparsities, Named way) {
    int first = Math.min(FIRST, sparsities.length - 1);
    double held = 0;
    double lost = 1;
    for (int at = Math.max(0, first); at < sparsities.length && lost == 1; at++) {
      if (prune(search, ladder, sparsities[at], way)) {
        held = sparsities[at];
      } else {
        lost = sparsities[at];
      }
    }
    for (int at = first - 1; at >= 0 && held == 0; at--) {
      if (prune(search, ladder, sparsities[at], way)) {
        held = sparsities[at];
      } else {
        lost = sparsities[at];
      }
    }
    if (held > 0 && lost < 1 && search.settings().epochs > 0) {
      prune(search, ladder, (held + lost) / 2, way);
    }
  }

  /** The share of the weights of kernels that are 0 in the original already. */
  private static double zeros(Model model) {
    List<Sparsity.Row> kernels =
        Sparsity.of(model).parameters().stream()
            .filter(r -> model.table().get(r.path()).type().rank() >= 2)
            .toList();
    double all = kernels.stream().mapToLong(Sparsity.Row::elements).sum();
    return kernels.stream().mapToLong(Sparsity.Row::zeros).sum() / Math.max(1, all);
  }

  /** Whether the accuracy holds. */
  private static boolean prune(CandidateSearch search, Ladder ladder, double sparsity, Named way) {
    String name = Sensitivity.percent(sparsity) + " " + ladder.pattern;
    try (Attempt a = search.attempt(name, () -> pruned(search, ladder, sparsity))) {
      if (a.isAccurate() && way != null) {
        String of = name + ", ";
        try (Attempt b = search.attempt(of + way.name, () -> quantized(search, way, a.model()))) {
          if (b.figures() != null && !b.isAccurate()) {
            trainQuantized(search, of, a.model(), way);
          }
        }
      }
      if (a.isAccurate() && search.settings().target == Target.SIZE) {
        search.attempt(name + ", " + INT4.name, () -> quantized(search, INT4, a.model())).close();
      }
      return a.isAccurate();
    }
  }

  private static Model pruned(CandidateSearch search, Ladder ladder, double sparsity) {
    Model original = search.settings().model;
    Pruner pruner =
        Pruner.magnitude()
            .pattern(ladder.pattern)
            .scope(ladder.scope)
            .exclude(unsuited(original, ladder.pattern));
    Model copy = original.copy();
    try {
      if (search.settings().epochs == 0) {
        pruner.prune(copy, sparsity);
      } else {
        search
            .trainer(Trainer.of(copy), 1)
            .callback(pruner.during(growth(search, ladder.pattern, sparsity)))
            .fit(search.train());
      }
      if (!(ladder.pattern instanceof Pattern.Channel)) {
        return copy;
      }
      try (Model whole = copy) {
        return Shrinker.shrink(whole);
      }
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  /** Layers whose inputs cannot be divided as the pattern needs. */
  private static String[] unsuited(Model model, Pattern pattern) {
    if (!(pattern instanceof Pattern.NOfM ratio)) {
      return new String[0];
    }
    return model.table().all().stream()
        .filter(p -> p.isTrained() && p.type().rank() >= 2)
        .filter(p -> p.elements() / p.type().extent(-1) % ratio.m() != 0)
        .map(Prunable::layer)
        .distinct()
        .toArray(String[]::new);
  }

  private static SparsitySchedule growth(CandidateSearch search, Pattern pattern, double sparsity) {
    long examples = search.train().size();
    if (pattern instanceof Pattern.NOfM || examples < 0) {
      return SparsitySchedule.constant(sparsity);
    }
    int batch = search.settings().batchSize;
    long steps = search.settings().epochs * ((examples + batch - 1) / batch);
    return SparsitySchedule.overTraining(sparsity / 2, sparsity, steps);
  }
}
