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
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** One run of a {@link Compression}: makes candidates, judges them, and keeps the best few open. */
final class CandidateSearch implements AutoCloseable {
  /** A form that is less than this better is no faster: clocks differ by as much between runs. */
  static final double LEAST_GAIN = 0.05;

  /** Times, and sizes, that differ by less count as equal. */
  static final double SAME = 0.03;

  private static final double ROUNDING = 1e-9; // of differences between accuracies
  private static final double BUSY = 0.1; // noise that a user should know of
  private static final String OTHERS =
      "better ones were measured again instead, of which none could be kept";

  private static final int MOST_TIMINGS = 3;
  private static final String HISTORY = "history"; // of a training, in a model's metadata
  private static final int FINALISTS = 4;
  private static final int ONE = 1;
  private static final int BATCH = 32;

  private final Compression settings;
  private final Examples examples;
  private final long started = System.nanoTime();
  private final Quality quality;
  private final Figures original;
  private final List<Attempt> attempts = new ArrayList<>();
  private final List<Attempt> finalists = new ArrayList<>();
  private String stopped;
  private double noisiest;

  /** Ends the search before all was tried. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped(String why) {
      super(why, null, false, false);
    }
  }

  CandidateSearch(Compression settings, Examples examples) {
    this.settings = settings;
    this.examples = examples;
    Candidate candidate = Candidate.of("original", settings.model);
    Evaluation evaluation = evaluate(candidate, examples.choice());
    Examples.requireEnough(evaluation.examples());
    this.quality = Quality.of(evaluation);
    Timing one = time(List.of(), ONE);
    Timing batch = time(List.of(), BATCH);
    this.original = figures(candidate, evaluation, one.original, batch.original);
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

  CompressionResult run() {
    settings.listener.tried(originalTrial());
    try {
      settings.strategy.run(this);
    } catch (Stopped e) {
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
    requireTime();
    settings.listener.starting(name);
    Attempt attempt = new Attempt(name);
    attempts.add(attempt);
    try {
      attempt.model = maker.get();
      keepHistory(attempt.model);
      measure(attempt);
      judge(attempt);
    } catch (Stopped e) {
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
                    requireTime();
                  }
                });
    String loss = settings.model.metadata().path("loss").asText("");
    if (!loss.isEmpty()) {
      trainer.loss(Losses.of(loss));
    }
    settings.training.accept(trainer);
    return trainer;
  }

  private void requireTime() {
    if (settings.cancelled.getAsBoolean()) {
      throw new Stopped("the search was cancelled");
    }
    if (settings.budget != null && System.nanoTime() - started > settings.budget.toNanos()) {
      throw new Stopped(
          "the time for the search, " + text(settings.budget.toMillis()) + ", is over");
    }
  }

  private static String text(long millis) {
    return millis < 60_000
        ? String.format(Locale.ROOT, "%.1f s", millis / 1e3)
        : String.format(Locale.ROOT, "%.1f minutes", millis / 6e4);
  }

  private Evaluation evaluate(Candidate candidate, Dataset on) {
    return candidate.evaluate(on, settings.threads, settings.device);
  }

  /**
   * How long candidates take.
   *
   * @param original nanoseconds of the original
   * @param ratios of each candidate to that
   * @param noise by which share the original differed from itself in the same rounds
   */
  private record Timing(double original, double[] ratios, double noise) {}

  /**
   * Runs candidates between the original and itself; again where it differs, as on a busy machine.
   */
  private Timing time(List<Candidate> candidates, int batch) {
    List<Candidate> all = new ArrayList<>(candidates);
    Candidate same = Candidate.of("original", settings.model);
    all.add(0, same);
    all.add(same);
    int most = settings.target == Target.LATENCY ? MOST_TIMINGS : 1;
    Timing quietest = null;
    for (int i = 0; i < most && (quietest == null || quietest.noise > SAME); i++) {
      double[] nanos =
          settings.stopwatch.medians(
              all, batch, examples.choice(), settings.threads, settings.device);
      double first = nanos[0];
      double last = nanos[nanos.length - 1];
      double base = Math.sqrt(first * last);
      double noise = Math.max(first, last) / Math.min(first, last) - 1;
      if (quietest == null || noise < quietest.noise) {
        double[] ratios =
            Arrays.stream(nanos, 1, nanos.length - 1).map(each -> each / base).toArray();
        quietest = new Timing(base, ratios, noise);
      }
    }
    noisiest = Math.max(noisiest, quietest.noise);
    return quietest;
  }

  private static Figures figures(Candidate c, Evaluation e, double nanosOf1, double nanosOf32) {
    return new Figures(
        c.name(), e, c.fileBytes(), c.parameters(), c.nonZeros(), nanosOf1, nanosOf32);
  }

  private void measure(Attempt attempt) {
    Candidate after = Candidate.of(attempt.name, attempt.model);
    Evaluation evaluation = evaluate(after, examples.choice());
    attempt.figures(after, evaluation, 0, time(List.of(after), ONE), time(List.of(after), BATCH));
  }

  private void judge(Attempt attempt) {
    String refusal = lossOfAccuracy(original.evaluation(), attempt.figures.evaluation());
    attempt.accurate = refusal == null;
    if (refusal == null) {
      refusal = lossOfCost(attempt);
    }
    if (refusal != null) {
      attempt.end(Trial.Outcome.REFUSED, refusal);
      return;
    }
    attempt.end(Trial.Outcome.PASSED, "");
    attempt.finalist = true;
    finalists.add(attempt);
    if (finalists.size() > FINALISTS) {
      Attempt worst = ranked(finalists).get(FINALISTS);
      finalists.remove(worst);
      worst.finalist = false;
      worst.letGo();
    }
  }

  /** Why the accuracy is not enough, or null. */
  private String lossOfAccuracy(Evaluation before, Evaluation after) {
    if (!Double.isFinite(after.loss())) {
      return "its loss is " + after.loss();
    }
    double drop = quality.in(before) - quality.in(after);
    return drop <= settings.maxAccuracyDrop + ROUNDING
        ? null
        : quality
            + " falls by "
            + quality.fall(drop)
            + ", allowed are "
            + quality.fall(settings.maxAccuracyDrop);
  }

  /** Why it does not pay, or null. */
  private String lossOfCost(Attempt attempt) {
    Figures f = attempt.figures;
    if (settings.target == Target.SIZE) {
      return f.fileBytes() < original.fileBytes()
          ? null
          : ratio("no smaller: %.3f times the file", f.fileBytes(), original.fileBytes());
    }
    double noise = Math.max(SAME, attempt.noise);
    if (f.nanosOf1() > original.nanosOf1() * (1 + noise)) {
      return ratio("slower at batch 1: %.2f times as long", f.nanosOf1(), original.nanosOf1());
    }
    if (f.nanosOf32() > original.nanosOf32() * (1 + noise)) {
      return ratio("slower at batch 32: %.2f times as long", f.nanosOf32(), original.nanosOf32());
    }
    double before = Target.LATENCY.cost(original);
    double after = Target.LATENCY.cost(f);
    if (after <= before * (1 - Math.max(LEAST_GAIN, attempt.noise))) {
      return null;
    }
    return ratio("no faster: %.2f times as long", after, before)
        + (after > before * (1 - LEAST_GAIN)
            ? ""
            : String.format(
                Locale.ROOT,
                ", where the original differs from itself by %.0f %%",
                100 * attempt.noise));
  }

  private static String ratio(String text, double after, double before) {
    return String.format(Locale.ROOT, text, after / before);
  }

  /** The best first. */
  private List<Attempt> ranked(List<Attempt> all) {
    List<Attempt> left = new ArrayList<>(all);
    List<Attempt> ranked = new ArrayList<>();
    while (!left.isEmpty()) {
      double least = left.stream().mapToDouble(this::cost).min().orElseThrow();
      Attempt best =
          left.stream()
              .filter(a -> cost(a) <= least * (1 + SAME))
              .min(
                  Comparator.comparingDouble((Attempt a) -> -quality.in(a.figures.evaluation()))
                      .thenComparingDouble(a -> settings.target.other().cost(a.figures))
                      .thenComparingInt(attempts::indexOf))
              .orElseThrow();
      ranked.add(best);
      left.remove(best);
    }
    return ranked;
  }

  private double cost(Attempt attempt) {
    return settings.target.cost(attempt.figures);
  }

  private CompressionResult finish() {
    List<Attempt> confirmed = new ArrayList<>();
    Candidate model = Candidate.of("before", settings.model);
    List<Candidate> all = finalists.stream().map(a -> Candidate.of(a.name, a.model)).toList();
    Timing one = time(all, ONE);
    Timing batch = time(all, BATCH);
    for (int i = 0; i < finalists.size(); i++) {
      Attempt a = finalists.get(i);
      a.figures(all.get(i), a.figures.evaluation(), i, one, batch);
      String refusal = lossOfCost(a);
      if (refusal == null) {
        confirmed.add(a);
      } else {
        a.end(Trial.Outcome.REFUSED, "measured again it is " + refusal);
      }
    }
    Evaluation before =
        examples.end() == examples.choice()
            ? original.evaluation()
            : evaluate(model, examples.end());
    List<Figures> figures = new ArrayList<>();
    figures.add(figures(model, before, one.original, batch.original));
    Attempt kept = null;
    int refused = 0;
    for (Attempt a : ranked(confirmed)) {
      if (kept != null) {
        a.end(Trial.Outcome.PASSED, passedOver(a, kept));
        continue;
      }
      Candidate candidate = Candidate.of("after", a.model);
      Evaluation after =
          examples.end() == examples.choice()
              ? a.figures.evaluation()
              : evaluate(candidate, examples.end());
      String refusal = lossOfAccuracy(before, after);
      if (refusal == null) {
        kept = a;
        a.end(Trial.Outcome.KEPT, "");
        int at = finalists.indexOf(a);
        figures.add(
            figures(
                candidate,
                after,
                one.original * one.ratios[at],
                batch.original * batch.ratios[at]));
      } else {
        refused++;
        a.end(Trial.Outcome.REFUSED, "on the examples set apart for the end, " + refusal);
      }
    }
    return result(kept, new Comparison(figures), refused);
  }

  private String passedOver(Attempt a, Attempt kept) {
    boolean same = Math.abs(cost(a) - cost(kept)) <= SAME * Math.min(cost(a), cost(kept));
    return same
        ? "as good, and what is kept is no less accurate"
        : "what is kept is " + settings.target.better();
  }

  private CompressionResult result(Attempt kept, Comparison comparison, int refused) {
    List<String> notes = new ArrayList<>(examples.notes());
    if (refused > 0) {
      notes.add(
          "The accuracy after is not quite independent of the choice: "
              + refused
              + " better ones lost too much on these examples.");
    }
    if (noisiest > BUSY && settings.target == Target.LATENCY) {
      notes.add(
          String.format(
              Locale.ROOT,
              "This machine is busy: the original's own latency differed by up to %.0f %% within"
                  + " one measurement, and only what is faster by more than that passed.",
              100 * noisiest));
    }
    if (stopped != null) {
      notes.add("Not all was tried: " + stopped + ".");
    }
    List<Trial> trials = new ArrayList<>(List.of(originalTrial()));
    for (Attempt a : attempts) {
      if (a.outcome == Trial.Outcome.PASSED && a.reason.isEmpty()) {
        a.reason = kept == null ? OTHERS : passedOver(a, kept);
      }
      trials.add(a.trial());
    }
    Model model = kept == null ? settings.model.copy() : kept.model;
    if (kept != null) {
      kept.model = null; // the result's from now on
    }
    return new CompressionResult(
        settings.target,
        settings.maxAccuracyDrop,
        quality,
        trials,
        comparison,
        notes,
        (System.nanoTime() - started) / 1e9,
        model);
  }

  private Trial originalTrial() {
    return new Trial("original", original, Trial.Outcome.ORIGINAL, "");
  }

  /** Closes the models of all candidates but the one that was kept. */
  @Override
  public void close() {
    attempts.forEach(
        a -> {
          a.finalist = false;
          a.close();
        });
  }

  /** A candidate. Closing it lets go of its model, unless that is one of the best so far. */
  final class Attempt implements AutoCloseable {
    private final String name;
    private Model model;
    private Figures figures;
    private double noise;
    private boolean accurate;
    private boolean finalist;
    private boolean inHand = true;
    private Trial.Outcome outcome;
    private String reason;

    private Attempt(String name) {
      this.name = name;
    }

    /** Null if it could not be made. */
    Model model() {
      return model;
    }

    /** Null if it could not be made. */
    Figures figures() {
      return figures;
    }

    /** Whether it could be made, and its accuracy is enough. */
    boolean isAccurate() {
      return accurate;
    }

    /** Whether it is accurate and better than the original. */
    boolean passed() {
      return outcome == Trial.Outcome.PASSED;
    }

    /** How well it does; more is better. */
    double quality() {
      return figures == null ? Double.NEGATIVE_INFINITY : quality.in(figures.evaluation());
    }

    /** Latencies in the time of the original. */
    private void figures(Candidate c, Evaluation e, int at, Timing one, Timing batch) {
      double nanosOf1 = original.nanosOf1() * one.ratios[at];
      double nanosOf32 = original.nanosOf32() * batch.ratios[at];
      figures = CandidateSearch.figures(c, e, nanosOf1, nanosOf32);
      noise = Math.max(one.noise, batch.noise);
    }

    private void end(Trial.Outcome what, String why) {
      outcome = what;
      reason = why;
    }

    private Trial trial() {
      return new Trial(name, figures, outcome, reason);
    }

    private void letGo() {
      if (model != null && !inHand && !finalist) {
        model.close();
        model = null;
      }
    }

    @Override
    public void close() {
      inHand = false;
      letGo();
    }
  }
}
