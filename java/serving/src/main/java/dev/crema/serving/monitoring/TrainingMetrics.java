package dev.crema.serving.monitoring;

import dev.crema.train.Callback;
import dev.crema.train.History;
import dev.crema.train.Training;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Shows a training in a registry while it runs: {@code Trainer.callback(new
 * TrainingMetrics(registry, "digits"))}. Its last figures stay when it has ended, until another
 * takes its name. One for each training.
 */
public final class TrainingMetrics implements Callback {
  private final MeterRegistry registry;
  private final Tags tags;
  private final Speed speed = new Speed();
  private final Map<String, Double> metrics = new ConcurrentHashMap<>();
  private volatile boolean running;
  private volatile float loss = Float.NaN;
  private volatile int epoch;
  private volatile int epochs;
  private volatile long steps;

  /**
   * @param registry may have those of an earlier training of the same name, which go
   * @param run what its series are labelled with
   */
  public TrainingMetrics(MeterRegistry registry, String run) {
    this.registry = Objects.requireNonNull(registry, "registry");
    this.tags = Tags.of("run", Objects.requireNonNull(run, "run"));
    registry.getMeters().stream()
        .filter(m -> m.getId().getName().startsWith("crema.training."))
        .filter(m -> run.equals(m.getId().getTag("run")))
        .forEach(registry::remove);
    gauge("crema.training.running", "1 while it trains", () -> running ? 1 : 0);
    gauge("crema.training.batch.loss", "Loss of the last batch", () -> loss);
    gauge("crema.training.epoch", "Epochs that have ended", () -> epoch);
    gauge("crema.training.epochs", "Epochs that it lasts unless it stops early", () -> epochs);
    gauge("crema.training.examples.per.second", "Examples learnt from a second", speed::perSecond);
    counter("crema.training.steps", "Updates of the parameters", () -> steps);
    counter("crema.training.examples", "Examples learnt from", speed::examples);
  }

  private void gauge(String name, String description, java.util.function.Supplier<Number> value) {
    Gauge.builder(name, value).description(description).tags(tags).register(registry);
  }

  private void counter(String name, String description, java.util.function.LongSupplier value) {
    FunctionCounter.builder(name, this, t -> value.getAsLong())
        .description(description)
        .tags(tags)
        .register(registry);
  }

  @Override
  public void onTrainingBegin(Training training) {
    running = true;
    epochs = training.epochs();
    steps = training.steps();
    speed.begin(System.nanoTime());
    training.history().epochs().forEach(this::show);
  }

  @Override
  public void onStepEnd(Training training, long step, float batchLoss) {
    loss = batchLoss;
    steps = step;
    speed.examples(training.examples(), System.nanoTime());
  }

  @Override
  public void onEpochEnd(Training training, History.Epoch ended) {
    show(ended);
  }

  private void show(History.Epoch ended) {
    epoch = ended.epoch();
    ended
        .metrics()
        .forEach(
            (name, value) -> {
              if (metrics.put(name, value) == null) {
                Gauge.builder("crema.training.metric", () -> metrics.get(name))
                    .description("A figure of the last epoch, such as loss or val_accuracy")
                    .tags(tags)
                    .tag("metric", name)
                    .register(registry);
              }
            });
  }

  @Override
  public void onTrainingEnd(Training training) {
    running = false;
    speed.end();
  }
}
