package dev.crema.cli;

import dev.crema.compress.Pattern;
import dev.crema.compress.SparsitySchedule;
import java.util.Set;
import java.util.function.LongSupplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** How the sparsity grows while a model is pruned. */
final class SparsityGrowth {
  /** All options that are about that. */
  static final Set<String> OPTIONS = Set.of("--schedule", "--initial-sparsity", "--frequency");

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

  /** How the sparsity grows. */
  enum Schedule {
    POLYNOMIAL,
    CONSTANT
  }

  /** Refuses settings of a growth that there is none of. */
  void requireUse(CommandSpec spec, Pattern pattern, int epochs) {
    if (epochs == 0) {
      Usage.refuse(spec, OPTIONS, "has no effect without a training: --epochs 1 or more");
    }
    Set<String> ofGrowth = Set.of("--initial-sparsity", "--frequency");
    if (schedule == Schedule.CONSTANT) {
      Usage.refuse(spec, ofGrowth, "is of --schedule polynomial");
    } else if (pattern instanceof Pattern.NOfM) {
      Usage.refuse(spec, OPTIONS, "has no effect on " + pattern + ", which has one sparsity");
    }
  }

  /**
   * The schedule of a training of that many steps.
   *
   * @param steps asked for only where the sparsity grows
   */
  SparsitySchedule of(Pattern pattern, double target, LongSupplier steps) {
    if (schedule == Schedule.CONSTANT || pattern instanceof Pattern.NOfM) {
      return SparsitySchedule.constant(target);
    }
    double initial = initialSparsity != null ? initialSparsity : target / 2;
    SparsitySchedule growth = SparsitySchedule.overTraining(initial, target, steps.getAsLong());
    return frequency == null ? growth : growth.every(frequency);
  }
}
