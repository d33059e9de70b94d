package dev.crema.compress;

import dev.crema.nn.Model;
import dev.crema.train.Trainer;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * What a {@link Compression} tries unless a test says otherwise: {@link ByteTrials}, and pruning.
 * To have it try another way of pruning, add it to {@link #LADDERS}.
 */
final class StandardStrategy implements Strategy {
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

  @Override
  public void run(CandidateSearch search) {
    ByteTrials bytes = new ByteTrials(search);
    bytes.ofTheOriginal();
    double zeros = zeros(search.settings().model);
    for (Ladder ladder : LADDERS) {
      boolean channels = ladder.pattern instanceof Pattern.Channel;
      double least = channels ? 0 : zeros + LEAST_MORE;
      double[] higher = DoubleStream.of(ladder.sparsities).filter(s -> s > least).toArray();
      climb(search, ladder, higher, bytes);
    }
  }

  /** Up while the accuracy holds, else down until it does; then once between the two. */
  private static void climb(
      CandidateSearch search, Ladder ladder, double[] sparsities, ByteTrials bytes) {
    int first = Math.min(FIRST, sparsities.length - 1);
    double held = 0;
    double lost = 1;
    for (int at = Math.max(0, first); at < sparsities.length && lost == 1; at++) {
      if (prune(search, ladder, sparsities[at], bytes)) {
        held = sparsities[at];
      } else {
        lost = sparsities[at];
      }
    }
    for (int at = first - 1; at >= 0 && held == 0; at--) {
      if (prune(search, ladder, sparsities[at], bytes)) {
        held = sparsities[at];
      } else {
        lost = sparsities[at];
      }
    }
    if (held > 0 && lost < 1 && search.settings().epochs > 0) {
      prune(search, ladder, (held + lost) / 2, bytes);
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
  private static boolean prune(
      CandidateSearch search, Ladder ladder, double sparsity, ByteTrials bytes) {
    String name = Sensitivity.percent(sparsity) + " " + ladder.pattern;
    try (Attempt a = search.attempt(name, () -> pruned(search, ladder, sparsity))) {
      if (a.isAccurate()) {
        bytes.of(name, a.model());
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
