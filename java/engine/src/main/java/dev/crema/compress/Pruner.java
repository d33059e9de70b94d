package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.train.Callback;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Prunes the weights of smallest magnitude (Han et al. 2015): they become 0 and stay 0 in whatever
 * training follows.
 *
 * <pre>{@code
 * Pruner pruner = Pruner.magnitude().exclude("dense_3");
 *
 * // While the model trains: from half of the weights to 90 %.
 * Callback pruning = pruner.during(SparsitySchedule.polynomial(0.5, 0.9, 0, 2000));
 * Trainer.of(model).callback(pruning).fit(train);
 *
 * // Or at once, and fine-tune.
 * pruner.prune(model, 0.9);
 * Trainer.of(model).epochs(3).fit(train);
 * }</pre>
 *
 * <p>What is pruned are kernels: weights of two axes and more, of all layers but embeddings; biases
 * and normalisations only where {@link #include} names them. What was pruned stays pruned, also
 * when another pattern prunes more. The masks belong to the model ({@link Model#masks}): they are
 * saved, loaded and copied with it, and a checkpoint holds them.
 *
 * <p>Immutable; a model is pruned by one thread at a time.
 */
public final class Pruner {
  private final Pattern pattern;
  private final Scope scope;
  private final Set<String> excluded;
  private final Set<String> included;

  private Pruner(Pattern pattern, Scope scope, Set<String> excluded, Set<String> included) {
    this.pattern = pattern;
    this.scope = scope;
    this.excluded = excluded;
    this.included = included;
  }

  /** Prunes single weights, each layer by itself. */
  public static Pruner magnitude() {
    return new Pruner(Pattern.unstructured(), Scope.LAYER, Set.of(), Set.of());
  }

  /** What is pruned as one; {@link Pattern#unstructured} by default. */
  public Pruner pattern(Pattern value) {
    return new Pruner(Objects.requireNonNull(value, "pattern"), scope, excluded, included);
  }

  /**
   * Among which weights those to prune are chosen; {@link Scope#LAYER} by default. Of no effect on
   * {@link Pattern.NOfM}.
   */
  public Pruner scope(Scope value) {
    return new Pruner(pattern, Objects.requireNonNull(value, "scope"), excluded, included);
  }

  /** Leaves layers as they are, by name; those of earlier calls too. */
  public Pruner exclude(String... layers) {
    return new Pruner(pattern, scope, joined(excluded, layers, "layers"), included);
  }

  /** Prunes parameters that otherwise stay, by path, such as {@code dense_1/bias}. */
  public Pruner include(String... paths) {
    return new Pruner(pattern, scope, excluded, joined(included, paths, "paths"));
  }

  private static Set<String> joined(Set<String> before, String[] more, String what) {
    Set<String> all = new LinkedHashSet<>(before);
    all.addAll(List.of(Objects.requireNonNull(more, what)));
    return all;
  }

  /**
   * Prunes a model now.
   *
   * @param sparsity the share of weights (blocks, channels) that become 0, above 0 and below 1;
   *     rounded to a whole number of them, of which each layer keeps at least one. Of a pattern n:m
   *     it must be 1 − n / m
   * @return what is pruned
   * @throws IllegalArgumentException if that is no possible sparsity
   * @throws CremaException if a layer is not known or does not suit the pattern, a weight is NaN,
   *     or there is nothing to prune; the model is then unchanged
   */
  public Sparsity prune(Model model, double sparsity) {
    Objects.requireNonNull(model, "model");
    requirePossible(sparsity);
    Map<Parameter, boolean[]> kept = masks(model, sparsity);
    kept.forEach((p, mask) -> model.masks().set(p.path(), mask));
    return Sparsity.of(model);
  }

  /**
   * Prunes a model while it trains, as a callback of one training at a time. Whoever stops early
   * should watch from the schedule's end on: the best epoch before may have more weights.
   *
   * @throws IllegalArgumentException if the pattern does not have the schedule's sparsity
   */
  public Callback during(SparsitySchedule schedule) {
    Objects.requireNonNull(schedule, "schedule");
    requirePossible(schedule.target());
    if (pattern instanceof Pattern.NOfM && schedule.initial() != schedule.target()) {
      throw new IllegalArgumentException(
          "The pattern "
              + pattern
              + " has one sparsity, but the schedule goes from "
              + schedule.initial()
              + " to "
              + schedule.target()
              + ". Use SparsitySchedule.constant.");
    }
    return new PruningCallback(this, schedule);
  }

  /** Refuses rounds of a pattern of one sparsity. */
  void requireRounds(int rounds) {
    if (pattern instanceof Pattern.NOfM && rounds > 1) {
      throw new IllegalArgumentException(
          "The pattern "
              + pattern
              + " has one sparsity, which is pruned at once: there are no "
              + rounds
              + " rounds on the way. Prune in one, or by another pattern.");
    }
  }

  /** The same for one of its targets alone. */
  Pruner only(Model model, Prunable target) {
    Set<String> others = new LinkedHashSet<>();
    model.table().all().stream()
        .filter(Parameter::isTrained)
        .map(Prunable::layer)
        .filter(name -> !target.layers().contains(name))
        .forEach(others::add);
    return exclude(others.toArray(new String[0]));
  }

  private void requirePossible(double sparsity) {
    SparsitySchedule.requireTarget(sparsity);
    if (pattern instanceof Pattern.NOfM p && Math.abs(sparsity - p.sparsity()) > 1e-6) {
      throw new IllegalArgumentException(
          "The pattern " + p + " has the sparsity " + p.sparsity() + ", got " + sparsity);
    }
  }

  /**
   * Takes the masks away and leaves plain weights, zeros included: the file gets smaller, and a
   * training would change all of them.
   */
  public static void strip(Model model) {
    Objects.requireNonNull(model, "model").masks().clear();
  }

  /** What it would prune, all of which is checked to be possible. */
  List<Prunable> targets(Model model) {
    boolean channels = pattern instanceof Pattern.Channel;
    List<Prunable> targets = Prunable.of(model, channels, excluded, included);
    if (targets.isEmpty()) {
      throw new CremaException(
          "There is nothing to prune by the pattern "
              + pattern
              + (excluded.isEmpty() ? "" : " outside " + excluded)
              + (channels
                  ? noChannels(model)
                  : excluded.isEmpty() ? ": no layer has a kernel." : ": no other has a kernel."));
    }
    return targets;
  }

  private static String noChannels(Model model) {
    StringBuilder text =
        new StringBuilder(": no dense layer and no convolution stands before another");
    String join = " from which channels can be taken out. ";
    for (Map.Entry<String, String> layer : Shrinker.obstacles(model).entrySet()) {
      text.append(join).append('\'').append(layer.getKey()).append("': ").append(layer.getValue());
      join = "; ";
    }
    return text.append('.').toString();
  }

  private Map<Parameter, boolean[]> masks(Model model, double sparsity) {
    List<Prunable> targets = targets(model);
    List<float[]> weights = new ArrayList<>();
    List<boolean[]> kept = new ArrayList<>();
    for (Prunable t : targets) {
      weights.add(weights(model, t));
      kept.add(kept(model, t));
    }
    if (pattern instanceof Pattern.NOfM p) {
      requireDivisible(p, targets);
      for (int i = 0; i < targets.size(); i++) {
        for (Parameter only : targets.get(i).parameters()) {
          Units.keepNOfM(p, only.type(), weights.get(i), kept.get(i));
        }
      }
    } else {
      pruneUnits(targets, weights, kept, sparsity);
    }
    Map<Parameter, boolean[]> masks = new LinkedHashMap<>();
    for (int i = 0; i < targets.size(); i++) {
      int at = 0;
      for (Parameter p : targets.get(i).parameters()) {
        int end = at + Math.toIntExact(p.elements());
        masks.put(p, Arrays.copyOfRange(kept.get(i), at, end));
        at = end;
      }
      boolean[] columns = any(kept.get(i), targets.get(i).columns());
      targets
          .get(i)
          .followers()
          .forEach(
              (follower, of) ->
                  follow(
                      columns,
                      of,
                      masks.computeIfAbsent(follower, p -> model.masks().get(p.path()))));
    }
    return masks;
  }

  /** Those of several parameters behind one another: rows of one matrix. */
  private static float[] weights(Model model, Prunable target) {
    float[] all = new float[target.elements()];
    int at = 0;
    for (Parameter p : target.parameters()) {
      float[] w = requireNumbers(p.path(), model.get(p.path()));
      System.arraycopy(w, 0, all, at, w.length);
      at += w.length;
    }
    return all;
  }

  private static boolean[] kept(Model model, Prunable target) {
    boolean[] all = new boolean[target.elements()];
    int at = 0;
    for (Parameter p : target.parameters()) {
      boolean[] mask = model.masks().get(p.path());
      System.arraycopy(mask, 0, all, at, mask.length);
      at += mask.length;
    }
    return all;
  }

  private static void requireDivisible(Pattern.NOfM pattern, List<Prunable> targets) {
    List<String> odd = new ArrayList<>();
    Set<String> layers = new LinkedHashSet<>();
    for (Prunable target : targets) {
      Parameter p = target.parameters().get(0); // only channels have several
      long rows = p.elements() / Math.max(1, p.type().extent(-1));
      if (rows % pattern.m() != 0) {
        odd.add(p.path() + " " + p.type() + " has " + rows + " inputs");
        layers.add(Prunable.layer(p));
      }
    }
    if (!odd.isEmpty()) {
      throw new CremaException(
          String.join(", ", odd)
              + ", not divisible by "
              + pattern.m()
              + " as the pattern "
              + pattern
              + " needs. Exclude "
              + String.join(",", layers)
              + ", or choose another pattern.");
    }
  }

  private static float[] requireNumbers(String path, float[] weights) {
    int count = 0;
    for (float w : weights) {
      count += Float.isNaN(w) ? 1 : 0;
    }
    if (count > 0) {
      throw new CremaException(
          path
              + " cannot be ranked by magnitude: "
              + count
              + " of its "
              + weights.length
              + " weights are NaN. Look for what went wrong in its training.");
    }
    return weights;
  }

  private void pruneUnits(
      List<Prunable> targets, List<float[]> weights, List<boolean[]> kept, double sparsity) {
    List<Units> units = new ArrayList<>();
    List<int[]> ranks = new ArrayList<>();
    for (int i = 0; i < targets.size(); i++) {
      units.add(targets.get(i).units(pattern));
      ranks.add(units.get(i).ranks(weights.get(i), kept.get(i)));
    }
    List<boolean[]> pruned =
        scope == Scope.LAYER ? Ranking.ofEach(ranks, sparsity) : Ranking.ofAll(ranks, sparsity);
    for (int i = 0; i < units.size(); i++) {
      for (int u = 0; u < pruned.get(i).length; u++) {
        if (pruned.get(i)[u]) {
          boolean[] mask = kept.get(i);
          units.get(i).elements(u, at -> mask[at] = false);
        }
      }
    }
  }

  /** Of which columns anything is kept. */
  private static boolean[] any(boolean[] kept, int columns) {
    boolean[] any = new boolean[columns];
    for (int i = 0; i < kept.length; i++) {
      any[i % columns] |= kept[i];
    }
    return any;
  }

  /** Prunes the follower's elements of each column that is pruned whole. */
  private static void follow(boolean[] columns, int[] ofElements, boolean... follower) {
    for (int i = 0; i < follower.length; i++) {
      follower[i] &= ofElements[i] < 0 || columns[ofElements[i]];
    }
  }

  /** All settings, to compare. */
  @Override
  public String toString() {
    return pattern + ", by " + scope + ", without " + excluded + ", with " + included;
  }
}
