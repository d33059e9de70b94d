package dev.crema.compress;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.nn.Model;
import dev.crema.train.Callback;
import dev.crema.train.Evaluation;
import dev.crema.train.LearningRate;
import dev.crema.train.Losses;
import dev.crema.train.Trainer;
import dev.crema.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** One run of a {@link Compression}: makes candidates, judges them, and keeps the best few open. */
final class CandidateSearch implements AutoCloseable {
  private static final double BUSY = 0.1; // noise that a user should know of
  private static final String OTHERS =
      "better ones were measured again instead, of which none could be kept";

  private static final String HISTORY = "history"; // of a training, in a model's metadata
  private static final int FINALISTS = 4;
  private static final int ONE = 1;
  private static final int BATCH = 32;

  private final Compression settings;
  private final Examples examples;
  private final SearchTime time;
  private final FairClock clock;
  private final Quality quality;
  private final Figures original;
  private final Judge judge;
  private final List<Attempt> attempts = new ArrayList<>();
  private final List<Attempt> finalists = new ArrayList<>(); // in the order of trying
  private String stopped;

  CandidateSearch(Compression settings, Examples examples) {
    this.settings = settings;
    this.time = new SearchTime(settings);
    this.examples = examples;
    this.clock = new FairClock(settings, examples);
    Candidate candidate = Candidate.of("original", settings.model);
    Evaluation evaluation = evaluate(candidate, examples.choice());
    Examples.requireEnough(evaluation.examples());
    this.quality = Quality.of(evaluation, settings.quality);
    FairClock.Timing one = clock.time(List.of(), ONE);
    FairClock.Timing batch = clock.time(List.of(), BATCH);
    this.original = figures(candidate, evaluation, one.original(), batch.original());
    this.judge = new Judge(settings, quality, original);
  }

  Compression settings() {
    return settings;
  }

  Dataset train() {
    return examples.train();
  }

  Dataset calibration() {
    return examples.calibration();
  }

  Dataset choice() {
    return examples.choice();
  }

  /** How well a candidate does; more is better. */
  double qualityOf(Attempt attempt) {
    return judge.qualityOf(attempt);
  }

  CompressionResult run() {
    settings.listener.tried(originalTrial());
    try {
      settings.strategy.run(this);
    } catch (SearchTime.Over e) {
      stopped = e.getMessage();
    }
    return finish();
  }

  /**
   * Makes a candidate and judges it.
   *
   * @param maker gives a model that the search then owns; its refusals ({@link CremaException},
   *     {@link IllegalArgumentException}) become the candidate's
   * @return to be closed when its model is needed no more for others
   */
  Attempt attempt(String name, Supplier<Model> maker) {
    time.require();
    settings.listener.starting(name);
    Attempt attempt = new Attempt(name);
    attempts.add(attempt);
    try {
      attempt.made(maker.get());
      keepHistory(attempt.model());
      measure(attempt);
      judge(attempt);
    } catch (SearchTime.Over e) {
      attempt.end(Trial.Outcome.REFUSED, "given up: " + e.getMessage());
    } catch (CremaException | IllegalArgumentException e) {
      attempt.end(Trial.Outcome.IMPOSSIBLE, "" + e.getMessage());
    }
    settings.listener.tried(attempt.trial());
    return attempt;
  }

  /** Files are to differ by weights, not by how many digits the seconds of a training have. */
  private void keepHistory(Model candidate) {
    JsonNode history = settings.model.metadata().get(HISTORY);
    if (history == null) {
      candidate.metadata().remove(HISTORY);
    } else {
      candidate.metadata().set(HISTORY, history.deepCopy());
    }
  }

  /**
   * A trainer with the compression's settings and the loss that the model was trained with; for at
   * least one epoch.
   *
   * @param share of the optimiser's learning rate to begin with
   */
  Trainer trainer(Trainer of, double share) {
    Trainer trainer =
        of.optimizer(settings.optimizer)
            .schedule(LearningRate.cosine(share * settings.optimizer.learningRate(), 0, 0))
            .epochs(settings.epochs)
            .batchSize(settings.batchSize)
            .seed(settings.seed)
            .threads(settings.threads)
            .device(settings.device)
            .callback(
                new Callback() {
                  @Override
                  public void onStepEnd(Training training, long step, float loss) {
                    time.require();
                  }
                });
    Losses.ofTraining(settings.model).ifPresent(trainer::loss);
    settings.training.accept(trainer);
    return trainer;
  }

  private Evaluation evaluate(Candidate candidate, Dataset on) {
    return candidate.evaluate(on, settings.threads, settings.device);
  }

  private static Figures figures(Candidate c, Evaluation e, double nanosOf1, double nanosOf32) {
    return new Figures(
        c.name(), e, c.fileBytes(), c.parameters(), c.nonZeros(), nanosOf1, nanosOf32);
  }

  private void measure(Attempt attempt) {
    Candidate after = Candidate.of(attempt.name(), attempt.model());
    Evaluation evaluation = evaluate(after, examples.choice());
    FairClock.Timing one = clock.time(List.of(after), ONE);
    note(attempt, after, evaluation, 0, one, clock.time(List.of(after), BATCH));
  }

  /** Notes figures whose latencies are in the time of the original. */
  private void note(
      Attempt attempt,
      Candidate c,
      Evaluation e,
      int at,
      FairClock.Timing one,
      FairClock.Timing batch) {
    double nanosOf1 = original.nanosOf1() * one.ratios()[at];
    double nanosOf32 = original.nanosOf32() * batch.ratios()[at];
    attempt.measured(figures(c, e, nanosOf1, nanosOf32), Math.max(one.noise(), batch.noise()));
  }

  private void judge(Attempt attempt) {
    Evaluation after = attempt.figures().evaluation();
    String refusal = judge.lossOfAccuracy(original.evaluation(), after);
    attempt.setAccurate(refusal == null);
    if (refusal == null) {
      refusal = judge.lossOfCost(attempt);
    }
    if (refusal != null) {
      attempt.end(Trial.Outcome.REFUSED, refusal);
      return;
    }
    attempt.end(Trial.Outcome.PASSED, "");
    attempt.setFinalist(true);
    finalists.add(attempt);
    if (finalists.size() > FINALISTS) {
      Attempt worst = judge.ranked(finalists).get(FINALISTS);
      finalists.remove(worst);
      worst.setFinalist(false);
    }
  }

  /** Measures the best once more, all together, and keeps the best of those that still pay. */
  private CompressionResult finish() {
    List<Attempt> confirmed = new ArrayList<>();
    Candidate model = Candidate.of("before", settings.model);
    List<Candidate> all = finalists.stream().map(a -> Candidate.of(a.name(), a.model())).toList();
    FairClock.Timing one = clock.time(all, ONE);
    FairClock.Timing batch = clock.time(all, BATCH);
    for (int i = 0; i < finalists.size(); i++) {
      Attempt a = finalists.get(i);
      note(a, all.get(i), a.figures().evaluation(), i, one, batch);
      String refusal = judge.lossOfCost(a);
      if (refusal == null) {
        confirmed.add(a);
      } else {
        a.end(Trial.Outcome.REFUSED, "measured again it is " + refusal);
      }
    }
    boolean same = examples.end() == examples.choice();
    Evaluation before = same ? original.evaluation() : evaluate(model, examples.end());
    List<Figures> figures = new ArrayList<>();
    figures.add(figures(model, before, one.original(), batch.original()));
    Attempt kept = null;
    int refused = 0;
    for (Attempt a : judge.ranked(confirmed)) {
      if (kept != null) {
        a.end(Trial.Outcome.PASSED, judge.passedOver(a, kept));
        continue;
      }
      Candidate candidate = Candidate.of("after", a.model());
      Evaluation after = same ? a.figures().evaluation() : evaluate(candidate, examples.end());
      String refusal = judge.lossOfAccuracy(before, after);
      if (refusal == null) {
        kept = a;
        a.end(Trial.Outcome.KEPT, "");
        int at = finalists.indexOf(a);
        double nanosOf1 = one.original() * one.ratios()[at];
        figures.add(figures(candidate, after, nanosOf1, batch.original() * batch.ratios()[at]));
      } else {
        refused++;
        a.end(Trial.Outcome.REFUSED, "on the examples set apart for the end, " + refusal);
      }
    }
    return result(kept, new Comparison(figures), refused);
  }

  private CompressionResult result(Attempt kept, Comparison comparison, int refused) {
    List<Trial> trials = new ArrayList<>(List.of(originalTrial()));
    for (Attempt a : attempts) {
      if (a.isUndecided()) {
        String why = kept == null ? OTHERS : judge.passedOver(a, kept);
        a.end(Trial.Outcome.PASSED, why);
      }
      trials.add(a.trial());
    }
    return new CompressionResult(
        settings.target,
        settings.maxAccuracyDrop,
        quality,
        trials,
        comparison,
        notes(refused),
        time.seconds(),
        kept == null ? settings.model.copy() : kept.take());
  }

  /** What to know of the figures. */
  private List<String> notes(int refused) {
    List<String> notes = new ArrayList<>(examples.notes());
    if (refused > 0) {
      notes.add(
          "The accuracy after is not quite independent of the choice: "
              + refused
              + " better ones lost too much on these examples.");
    }
    if (clock.noisiest() > BUSY && settings.target == Target.LATENCY) {
      notes.add(
          String.format(
              Locale.ROOT,
              "This machine is busy: the original's own latency differed by up to %.0f %% within"
                  + " one measurement, and only what is faster by more than that passed.",
              100 * clock.noisiest()));
    }
    if (stopped != null) {
      notes.add("Not all was tried: " + stopped + ".");
    }
    return notes;
  }

  private Trial originalTrial() {
    return new Trial("original", original, Trial.Outcome.ORIGINAL, "");
  }

  /** Closes the models of all candidates but the one that was kept. */
  @Override
  public void close() {
    attempts.forEach(
        a -> {
          a.setFinalist(false);
          a.close();
        });
  }
}
