package dev.crema.serving.examples;

import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.serving.Predictions;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.monitoring.Monitoring;
import dev.crema.serving.monitoring.TrainingMetrics;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import dev.crema.train.Trainer;
import dev.crema.train.TrainingReference;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;

/**
 * Trains, serves what it has trained, and shows both in the registry that the program has anyway:
 * curves while it learns, then requests, latencies, and how far the inputs are from those that it
 * learnt from.
 */
public final class LearningService implements AutoCloseable {
  private final Path folder;
  private final MeterRegistry registry;
  private final Monitoring monitoring;
  private final ModelRepository models;
  private final BatchingInference inference;
  private final Predictions predictions;

  public LearningService(Path folder, MeterRegistry registry) {
    this.folder = folder;
    this.registry = registry;
    monitoring = Monitoring.of(registry);
    models = ModelRepository.of(folder).listener(monitoring.listener()).open();
    monitoring.watch(models);
    inference = new BatchingInference(models, monitoring.listener());
    predictions = new Predictions(models, inference, ModelReference.of("digits"));
  }

  /** Trains a version, which then answers; until then the one before does. */
  public void learn(Dataset train, Dataset test, int version) {
    try (Model model =
        Model.sequential(100)
            .dense(32, Activation.RELU)
            .dense(10, Activation.SOFTMAX)
            .build(version)) {
      Trainer.of(model)
          .epochs(2)
          .validation(test)
          .callback(new TrainingMetrics(registry, "digits"))
          .fit(train);
      TrainingReference.store(model, train, 1, 1, Device.cpu());
      model.save(folder.resolve("digits").resolve(Integer.toString(version)));
    }
    models.load("digits");
  }

  /** For any number of threads at once. */
  public float[] probabilities(float... pixels) {
    return predictions.predict(pixels);
  }

  @Override
  public void close() {
    inference.close();
    models.close();
    monitoring.close();
  }
}
