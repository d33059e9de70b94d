package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.nn.Model;
import dev.crema.train.Evaluation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Prunes and trains in turns (Han et al. 2015). After round r of R the sparsity is 1 − (1 −
 * s)^(r/R): each round takes the same share of what is left. With a model to rewind to, the weights
 * that are left go back to what they were there before each training: the lottery-ticket procedure
 * (Frankle and Carbin 2019; of an early step instead of the start, Frankle et al. 2020).
 *
 * <pre>{@code
 * try (Model start = model.copy()) {
 *   train(model);
 *   IterativePruning.of(Pruner.magnitude(), 0.9, 5)
 *       .rewindTo(start)
 *       .run(model, m -> Trainer.of(m).epochs(10).fit(data), m -> evaluate(m));
 * }
 * }</pre>
 *
 * <p>Immutable.
 */
public final class IterativePruning {
  /**
   * What a round left.
   *
   * @param sparsity of what is pruned
   * @param evaluation after its training
   */
  public record Round(int round, double sparsity, Evaluation evaluation) {}

  private final Pruner pruner;
  private final double sparsity;
  private final int rounds;
  private final Model rewind;

  private IterativePruning(Pruner pruner, double sparsity, int rounds, Model rewind) {
    this.pruner = pruner;
    this.sparsity = sparsity;
    this.rounds = rounds;
    this.rewind = rewind;
  }

  /**
   * To a sparsity in that many rounds.
   *
   * @param sparsity above 0 and below 1
   * @throws IllegalArgumentException if it is not, or of several rounds to a pattern n:m, which has
   *     one sparsity
   */
  public static IterativePruning of(Pruner pruner, double sparsity, int rounds) {
    Objects.requireNonNull(pruner, "pruner");
    SparsitySchedule.requireTarget(sparsity);
    if (rounds < 1) {
      throw new IllegalArgumentException("There is at least one round, got " + rounds);
    }
    pruner.requireRounds(rounds);
    return new IterativePruning(pruner, sparsity, rounds, null);
  }

  /** Puts the weights back to those of a copy of the model, of its start or an early step. */
  public IterativePruning rewindTo(Model earlier) {
    return new IterativePruning(
        pruner, sparsity, rounds, Objects.requireNonNull(earlier, "earlier"));
  }

  /**
   * Runs all rounds. The model's parameters and masks change in place; it should be trained
   * already.
   *
   * @param training trains the model that it is given
   * @param evaluation measures it after each round
   * @throws CremaException if the model to rewind to is of another structure
   */
  public List<Round> run(
      Model model, Consumer<Model> training, Function<Model, Evaluation> evaluation) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(training, "training");
    Objects.requireNonNull(evaluation, "evaluation");
    List<Round> results = new ArrayList<>();
    for (int r = 1; r <= rounds; r++) {
      double now = r == rounds ? sparsity : 1 - Math.pow(1 - sparsity, (double) r / rounds);
      pruner.prune(model, now);
      if (rewind != null) {
        rewind(model);
      }
      training.accept(model);
      results.add(new Round(r, now, evaluation.apply(model)));
    }
    return results;
  }

  private void rewind(Model model) {
    if (!rewind.topology().places().equals(model.topology().places())) {
      throw new CremaException(
          "The model to rewind to is of another structure than the one that is pruned: copy() the"
              + " model before its training");
    }
    model.parameters().copyFrom(0, rewind.parameters(), 0, rewind.parameters().byteSize());
    model.state().copyFrom(0, rewind.state(), 0, rewind.state().byteSize());
    model.masks().apply();
  }
}
