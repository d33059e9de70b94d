package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.data.Prefetcher;
import dev.crema.text.ProgressBar;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;

/** One call of {@link Trainer#fit}: the loop over epochs and batches. */
final class Fit implements AutoCloseable {
  private static final int PREFETCHED = 4;

  private final Trainer trainer;
  private final Dataset data;
  private final int batchSize;
  private final List<Head> heads;
  private final int[] places;
  private final TrainingSettings settings;
  private final TrainingStep step;
  private final Evaluator validator;
  private final Dataset validation;
  private final Prefetcher batches;
  private final BatchMemory memory;
  private final History history = new History();
  private final Training training;
  private final Callback[] callbacks;
  private final Totals totals;

  Fit(Trainer trainer, Dataset data, Dataset validation) {
    this.trainer = trainer;
    this.data = data;
    this.validation = validation;
    this.batchSize = batchSize(trainer.batchSize, data);
    if (data.size() == 0) {
      throw new CremaException("The training data has no examples");
    }
    if (validation != null && validation.size() == 0) {
      throw new CremaException("The validation data has no examples");
    }
    if (trainer.checkpoint != null) {
      Checkpoint.requireWritable(trainer.checkpoint, trainer.model);
    }
    trainer.callbacks.forEach(c -> c.onPrepare(trainer.model));
    List<AutoCloseable> made = new ArrayList<>();
    try {
      this.heads = trainer.outputs.heads(data);
      if (validation != null && !validation.targets().isEmpty()) {
        ClassNames.requireSame(heads, data, validation);
      }
      this.settings = TrainingSettings.of(trainer, heads, data);
      this.places = Binding.of(trainer.model, heads, data);
      this.step = new TrainingStep(trainer, batchSize, heads);
      made.add(step);
      this.memory = new BatchMemory(step.device(), batchSize);
      made.add(0, memory);
      this.batches = new Prefetcher(data, batchSize, PREFETCHED, memory::allocate, memory::send);
      made.add(0, batches); // nobody writes to memory that is closed
      this.validator =
          validation == null
              ? null
              : new Evaluator(
                  trainer.model, heads, Evaluator.BATCH, trainer.threads, step.device());
    } catch (RuntimeException | Error e) {
      made.forEach(Fit::closeQuietly);
      throw e;
    }
    this.training = new Training(trainer.model, trainer.epochs, step, history);
    this.callbacks = trainer.callbacks.toArray(new Callback[0]);
    this.totals = new Totals(step.outputs());
  }

  private static int batchSize(int asked, Dataset data) {
    if (asked != Integer.MAX_VALUE && data.size() < 0) {
      return asked;
    }
    if (data.size() < 0) {
      throw new CremaException(
          "Batch gradient descent needs data of known size; this dataset is a stream");
    }
    return (int) Math.max(1, Math.min(asked, data.size()));
  }

  private static void closeQuietly(AutoCloseable c) {
    try {
      c.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  History run() {
    ProgressBar bar = trainer.progress ? new ProgressBar() : null;
    try {
      if (trainer.checkpoint != null && trainer.resume && Checkpoint.exists(trainer.checkpoint)) {
        Checkpoint.read(trainer.checkpoint, trainer, settings, step, history, training);
      }
      for (Callback c : callbacks) {
        c.onTrainingBegin(training);
      }
      int first = history.epochs().size() + 1;
      for (int epoch = first; epoch <= trainer.epochs && !training.isStopping(); epoch++) {
        History.Epoch result = epoch(epoch, bar);
        history.add(result);
        for (Callback c : callbacks) {
          c.onEpochEnd(training, result);
        }
        if (trainer.checkpoint != null) {
          Checkpoint.write(trainer.checkpoint, trainer, settings, step, history, training);
        }
      }
    } catch (RuntimeException | Error e) {
      end(e);
      throw e;
    }
    end(null);
    if (bar != null && training.stopReason() != null) {
      bar.println("Stopped early: " + training.stopReason());
    }
    trainer.model.metadata().set("history", history.toJson());
    TrainedLosses.write(trainer.model, heads);
    return history;
  }

  /**
   * Tells every callback that the training is over, whatever the others throw.
   *
   * @param cause that ended it, which gets what they throw as suppressed; null: it came to its end
   */
  private void end(Throwable cause) {
    Throwable first = cause;
    for (Callback c : callbacks) {
      first = attempt(() -> c.onTrainingEnd(training), first);
    }
    // Early stopping may have put older weights back.
    first = attempt(() -> trainer.model.masks().apply(), first);
    if (cause == null && first instanceof RuntimeException e) {
      throw e;
    }
    if (cause == null && first instanceof Error e) {
      throw e;
    }
  }

  /** What was thrown first: before, or by this. */
  private static Throwable attempt(Runnable action, Throwable first) {
    try {
      action.run();
    } catch (RuntimeException | Error e) {
      if (first == null) {
        return e;
      }
      if (e != first) {
        first.addSuppressed(e);
      }
    }
    return first;
  }

  private History.Epoch epoch(int epoch, ProgressBar bar) {
    long started = System.nanoTime();
    long stepsPerEpoch = data.size() < 0 ? -1 : (data.size() + batchSize - 1) / batchSize;
    if (bar != null) {
      String[] names = totals.names();
      bar.begin("Epoch " + epoch + "/" + trainer.epochs, stepsPerEpoch, names);
    }
    batches.start(
        trainer.shuffle ? Order.shuffled(trainer.seed * 1_000_003L + epoch) : Order.sequential());
    totals.reset();
    double rate = steps(epoch, stepsPerEpoch, bar);
    Map<String, Double> metrics = totals.metrics();
    Map<String, Double> more = new LinkedHashMap<>();
    if (validator != null) {
      Evaluation v = validator.evaluate(validation);
      more.put(MetricNames.VALIDATION + MetricNames.LOSS, v.loss());
      v.mainMetrics().forEach((name, value) -> more.put(MetricNames.VALIDATION + name, value));
    }
    metrics.putAll(more);
    metrics.put("learning_rate", rate);
    if (bar != null) {
      bar.finish(more);
    }
    return new History.Epoch(epoch, (System.nanoTime() - started) / 1e9, metrics);
  }

  /** The batches of an epoch; allocates nothing for a step. Gives the last learning rate. */
  private double steps(int epoch, long stepsPerEpoch, ProgressBar bar) {
    long updates = (stepsPerEpoch + trainer.accumulate - 1) / trainer.accumulate;
    long total = stepsPerEpoch < 0 ? 0 : updates * trainer.epochs;
    double rate = 0;
    long number = 0;
    for (Prefetcher.Batch b = batches.next(); b != null; b = batches.next()) {
      number++;
      if (Thread.currentThread().isInterrupted()) {
        batches.recycle(b);
        throw new IllegalStateException(
            "Interrupted in epoch " + epoch + ", before step " + number);
      }
      boolean update = number % trainer.accumulate == 0 || number == stepsPerEpoch;
      rate = rate(total);
      List<ByteBuffer> buffers = b.buffers();
      for (int i = 0; i < places.length; i++) {
        step.bind(i, memory.behind(buffers.get(places[i])));
      }
      float loss = step.run(b.rows(), rate, update);
      if (!Float.isFinite(loss)) {
        String bad = BadNumbers.in(b, data);
        batches.recycle(b);
        throw notFinite(loss, epoch, number, bad);
      }
      totals.add(loss, step.outputs(), b.rows());
      training.took(b.rows());
      batches.recycle(b);
      for (Callback c : callbacks) {
        c.onStepEnd(training, step.steps(), loss);
      }
      if (bar != null) {
        bar.update(number, totals.examples(), totals.shown());
      }
    }
    if (number == 0) {
      throw new CremaException("The training data has no examples");
    }
    step.flush(rate); // of a stream nobody knows which batch is the last
    return rate;
  }

  /**
   * @param bad the number in the data that it comes from; null: all are finite
   */
  private CremaException notFinite(float loss, int epoch, long number, String bad) {
    StringJoiner each = new StringJoiner(", ", " (", ")").setEmptyValue("");
    if (heads.size() > 1) {
      step.outputs().forEach(o -> each.add(o.head().output() + ": " + o.loss()));
    }
    return new CremaException(
        "The loss is "
            + loss
            + each
            + " in epoch "
            + epoch
            + ", step "
            + number
            + (bad == null
                ? ", though the data is finite there. Lower the learning rate or clip the gradients."
                : ": the data has a number that is not finite, "
                    + bad
                    + ". Fill it or leave it out."));
  }

  private double rate(long totalSteps) {
    double scheduled =
        trainer.schedule == null
            ? trainer.optimizer.learningRate()
            : trainer.schedule.at(step.steps(), totalSteps);
    double rate = scheduled * training.learningRateFactor();
    if (!(rate >= 0) || Double.isInfinite(rate)) {
      throw new CremaException(
          "The learning rate of step "
              + step.steps()
              + " is "
              + rate
              + (trainer.schedule == null
                  ? ""
                  : " (schedule: " + trainer.schedule.description() + ")")
              + "; it must be a finite number of at least 0");
    }
    return rate;
  }

  @Override
  public void close() {
    batches.close();
    step.close();
    if (validator != null) {
      validator.close();
    }
    memory.close();
  }
}
