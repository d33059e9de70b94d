package dev.crema.serving.examples;

import dev.crema.serving.Predictions;
import dev.crema.serving.ServingListener;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.nio.file.Path;

/**
 * A bean of a service that asks a model in its own process, with new versions taken as they come.
 * It has what containers look for and imports none: in Spring, {@code @Bean FraudCheck fraudCheck()
 * { return new FraudCheck(Path.of("/models")); }} makes it, and its {@code close} is found and
 * called at the end.
 */
public final class FraudCheck implements AutoCloseable {
  private final ModelRepository models;
  private final BatchingInference inference;
  private final Predictions predictions;

  public FraudCheck(Path folder) {
    ServingListener listener = new ServingListener() {};
    models = ModelRepository.of(folder).listener(listener).open();
    inference = new BatchingInference(models, listener);
    predictions = new Predictions(models, inference, ModelReference.of("fraud"));
  }

  /** For any number of threads at once. */
  public float score(float... features) {
    return predictions.predict(features)[0];
  }

  @Override
  public void close() {
    inference.close();
    models.close();
  }
}
