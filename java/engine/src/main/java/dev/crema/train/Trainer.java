package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.nn.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Trains a model on a dataset.
 *
 * <pre>{@code
 * History history =
 *     Trainer.of(model).optimizer(Optimizer.adam(0.001)).epochs(10).validation(test).fit(train);
 * }</pre>
 *
 * The same seed, data and number of threads give the same parameters to the bit. Not thread-safe;
 * the model may predict on other threads meanwhile.
 */
public final class Trainer {
  final Model model;
  Loss loss;
  Optimizer optimizer = Optimizer.adam(0.001);
  LearningRate schedule;
  int epochs = 10;
  int batchSize = 32;
  int accumulate = 1;
  long seed = 42;
  boolean shuffle = true;
  int threads;
  Device device;
  Dataset validation;
  double validationFraction;
  double clipNorm;
  double clipValue;
  float[] classWeights;
  Path checkpoint;
  boolean resume;
  boolean progress;
  final List<String> frozen = new ArrayList<>();
  final List<ParameterGroup> groups = new ArrayList<>();
  final List<Callback> callbacks = new ArrayList<>();

  private Trainer(Model model) {
    this.model = model;
  }

  public static Trainer of(Model model) {
    return new Trainer(model);
  }

  /** By default what the model's output and the target suggest ({@link Loss#infer}). */
  public Trainer loss(Loss value) {
    loss = value;
    return this;
  }

  /** By default Adam with a learning rate of 0.001. */
  public Trainer optimizer(Optimizer value) {
    optimizer = value;
    return this;
  }

  /** By default the optimiser's learning rate all the time. */
  public Trainer schedule(LearningRate value) {
    schedule = value;
    return this;
  }

  public Trainer epochs(int value) {
    epochs = atLeast(1, value, "epochs");
    return this;
  }

  /** Examples of a step; 32 by default. {@link Integer#MAX_VALUE}: all (batch gradient descent). */
  public Trainer batchSize(int value) {
    batchSize = atLeast(1, value, "batchSize");
    return this;
  }

  /** Batches whose gradients are averaged for one update; 1 by default. */
  public Trainer accumulate(int batches) {
    accumulate = atLeast(1, batches, "accumulate");
    return this;
  }

  /** Of shuffling, dropout and a validation fraction; 42 by default. */
  public Trainer seed(long value) {
    seed = value;
    return this;
  }

  public Trainer shuffle(boolean value) {
    shuffle = value;
    return this;
  }

  /** Threads of the pool; 0, the default, for all. */
  public Trainer threads(int value) {
    threads = value;
    return this;
  }

  public Trainer device(Device value) {
    device = value;
    return this;
  }

  /** Evaluated after each epoch: {@code val_loss} and so on. */
  public Trainer validation(Dataset value) {
    validation = value;
    return this;
  }

  /** Sets that fraction of the training data aside for validation. */
  public Trainer validationFraction(double fraction) {
    if (!(fraction > 0 && fraction < 1)) {
      throw new IllegalArgumentException("The fraction must lie in (0, 1), got " + fraction);
    }
    validationFraction = fraction;
    return this;
  }

  /** Scales all gradients down when their common Euclidean norm is larger (Pascanu et al. 2013). */
  public Trainer clipNorm(double norm) {
    clipNorm = norm;
    return this;
  }

  /** Cuts each gradient at ±value. */
  public Trainer clipValue(double value) {
    clipValue = value;
    return this;
  }

  /** What each class counts in the loss, by class index; see {@code ClassWeights.balanced}. */
  public Trainer classWeights(float... weights) {
    classWeights = weights.clone();
    return this;
  }

  /** Layers whose parameters stay as they are, by name. */
  public Trainer freeze(String... layers) {
    frozen.addAll(List.of(layers));
    return this;
  }

  /** Other settings for the parameters of some layers. */
  public Trainer group(ParameterGroup group) {
    groups.add(group);
    return this;
  }

  public Trainer callback(Callback callback) {
    callbacks.add(callback);
    return this;
  }

  /** Saves all there is to resume from to a folder after each epoch. */
  public Trainer checkpoint(Path folder) {
    checkpoint = folder;
    return this;
  }

  /** Goes on from the checkpoint, if there is one, as if the training had never stopped. */
  public Trainer resume(boolean value) {
    resume = value;
    return this;
  }

  /** Shows a progress bar on standard error; off by default. */
  public Trainer progress(boolean value) {
    progress = value;
    return this;
  }

  /**
   * Trains. The model's parameters change in place.
   *
   * @return what each epoch gave
   * @throws CremaException if the data does not fit the model, or the loss is no longer finite
   */
  public History fit(Dataset data) {
    Dataset train = data;
    Dataset held = validation;
    if (held == null && validationFraction > 0) {
      Dataset.Split split = data.split(validationFraction, seed);
      train = split.train();
      held = split.validation();
    }
    Fit.check(model, train);
    if (held != null) {
      Fit.check(model, held);
    }
    try (Fit fit = new Fit(this, train, held)) {
      return fit.run();
    }
  }

  /**
   * For training by batches that the caller brings: no epochs, callbacks, schedule or validation.
   *
   * @param capacity the most examples of a step
   * @return the caller closes it
   */
  public BatchTrainer batches(int capacity) {
    return new BatchTrainer(this, atLeast(1, capacity, "capacity"));
  }

  private static int atLeast(int least, int value, String name) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", got " + value);
    }
    return value;
  }
}
