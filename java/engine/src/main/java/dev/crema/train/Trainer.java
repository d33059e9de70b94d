package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.graph.Precision;
import dev.crema.nn.Model;
import dev.crema.nn.Quantization;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

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
  final OutputSettings outputs;
  Optimizer optimizer = Optimizer.adam(0.001);
  LearningRate schedule;
  int epochs = 10;
  int batchSize = 32;
  int accumulate = 1;
  long seed = 42;
  boolean shuffle = true;
  int threads;
  Precision precision = Precision.FLOAT32;
  private LossScaling lossScaling;
  Device device;
  Dataset validation;
  double validationFraction;
  double clipNorm;
  double clipValue;
  Path checkpoint;
  boolean resume;
  boolean progress;
  final List<String> frozen = new ArrayList<>();
  final List<ParameterGroup> groups = new ArrayList<>();
  final List<Callback> callbacks = new ArrayList<>();
  LossTerm term;
  Quantization rounding;

  private Trainer(Model model) {
    this.model = model;
    this.outputs = new OutputSettings(model);
  }

  /**
   * A training of a model, with the usual settings.
   *
   * @param model whose parameters it changes; the caller closes it after the training
   * @throws CremaException if the model computes in int8
   */
  public static Trainer of(Model model) {
    if (Objects.requireNonNull(model, "model").quantization() != null) {
      throw new CremaException(
          "A quantized model can't be trained: "
              + String.join(", ", model.quantization().layers().keySet())
              + " compute with int8 weights that would not follow. Train the model that it was made"
              + " of and quantize that again.");
    }
    return new Trainer(model);
  }

  /**
   * By default what the model's output and the target suggest ({@link Loss#infer}). Of a model with
   * several outputs, that of each output which has none of its own.
   */
  public Trainer loss(Loss value) {
    outputs.loss(value);
    return this;
  }

  /**
   * The loss of one output of several. What is made small is the sum over the outputs of weight
   * times loss.
   *
   * @param output its name: that of the layer
   * @throws CremaException if the model has no such output
   */
  public Trainer loss(String output, Loss value) {
    outputs.loss(output, value);
    return this;
  }

  /** As {@link #loss(String, Loss)}, with what it counts in the sum. */
  public Trainer loss(String output, Loss value, double weight) {
    return loss(output, value).lossWeight(output, weight);
  }

  /** The loss of each output of the model, in their order. */
  public Trainer losses(Loss... inOrder) {
    outputs.losses(List.of(inOrder));
    return this;
  }

  /**
   * What the loss of one output counts in the sum; 1 by default. With 0 it is measured but teaches
   * nothing.
   *
   * @param weight finite, at least 0
   */
  public Trainer lossWeight(String output, double weight) {
    outputs.weight(output, weight);
    return this;
  }

  /** As {@link #lossWeight}, of each output of the model in their order. */
  public Trainer lossWeights(double... inOrder) {
    outputs.weights(inOrder);
    return this;
  }

  /** Trains only these outputs of several; by default all. The data has a target for each. */
  public Trainer outputs(String... names) {
    outputs.train(List.of(names));
    return this;
  }

  /**
   * What is made small beside the loss of the targets, such as the distance from a teacher. The
   * history's {@code loss} is then that of both, and {@code val_loss} that of the targets.
   */
  public Trainer term(LossTerm value) {
    term = Objects.requireNonNull(value, "term");
    return this;
  }

  /**
   * Trains as if the model predicted with that quantization (Jacob et al. 2018): kernels and what
   * layers read are rounded to what bytes can stand for, gradients pass straight through. Neither
   * evaluations nor the model itself know of it; see {@code QuantizationAwareTraining}.
   */
  public Trainer rounding(Quantization value) {
    rounding = Objects.requireNonNull(value, "rounding");
    return this;
  }

  /** By default Adam with a learning rate of 0.001. */
  public Trainer optimizer(Optimizer value) {
    optimizer = Objects.requireNonNull(value, "optimizer");
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

  /**
   * In what it computes, forward and backward; float32 by default. Parameters, their gradients,
   * moments, losses and all sums stay float32. A device that can't compute so is refused when the
   * training begins.
   */
  public Trainer precision(Precision value) {
    precision = Objects.requireNonNull(value, "precision");
    return this;
  }

  /**
   * How the loss is scaled before gradients are computed. By default {@link LossScaling#standard}
   * in float16, and not at all in other precisions, whose range needs none.
   */
  public Trainer lossScaling(LossScaling value) {
    lossScaling = Objects.requireNonNull(value, "lossScaling");
    return this;
  }

  /** Null: not at all. */
  LossScaling lossScaling() {
    boolean needed = precision == Precision.FLOAT16;
    return lossScaling == null && needed ? LossScaling.standard() : lossScaling;
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
    threads = atLeast(0, value, "threads");
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

  /**
   * Scales all gradients down when their common Euclidean norm is larger (Pascanu et al. 2013).
   *
   * @param norm above 0; 0, the default, for no clipping
   */
  public Trainer clipNorm(double norm) {
    clipNorm = notNegative(norm, "clipNorm");
    return this;
  }

  /**
   * Cuts each gradient at ±value.
   *
   * @param value above 0; 0, the default, for no clipping
   */
  public Trainer clipValue(double value) {
    clipValue = notNegative(value, "clipValue");
    return this;
  }

  /**
   * What each class counts in the loss, by class index; see {@code ClassWeights.balanced}.
   *
   * @param weights finite, at least 0, not all of them 0
   */
  public Trainer classWeights(float... weights) {
    outputs.classWeights(Objects.requireNonNull(weights, "weights"));
    return this;
  }

  /** As {@link #classWeights(float...)}, of one output of several. */
  public Trainer classWeights(String output, float... weights) {
    outputs.classWeights(output, Objects.requireNonNull(weights, "weights"));
    return this;
  }

  /** Layers whose parameters stay as they are, by name. */
  public Trainer freeze(String... layers) {
    for (String layer : Objects.requireNonNull(layers, "layers")) {
      frozen.add(Objects.requireNonNull(layer, "layer"));
    }
    return this;
  }

  /** Other settings for the parameters of some layers. */
  public Trainer group(ParameterGroup group) {
    groups.add(Objects.requireNonNull(group, "group"));
    return this;
  }

  public Trainer callback(Callback callback) {
    callbacks.add(Objects.requireNonNull(callback, "callback"));
    return this;
  }

  /** Saves all there is to resume from to a folder after each epoch. */
  public Trainer checkpoint(Path folder) {
    checkpoint = folder;
    return this;
  }

  /**
   * Goes on from the checkpoint, if there is one, as if the training had never stopped. Everything
   * that decides its course must be as it was: optimiser, schedule, losses and their weights, class
   * weights, clipping, accumulation, precision, loss scaling, batch size, shuffling, seed, frozen
   * layers, groups and the number of examples. More epochs are possible (a schedule that depends on
   * the length of the training then continues as one of the new length), as are other callbacks,
   * validation data, threads and devices.
   */
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
   * Trains. The model's parameters change in place. Of a model with several outputs the data has a
   * target for each; the history then has the losses and metrics of each too, such as {@code
   * NAME_loss}, and {@code loss} is their weighted sum.
   *
   * @return what each epoch gave
   * @throws CremaException if the data does not fit the model, or the loss is no longer finite
   */
  public History fit(Dataset data) {
    Dataset train = Objects.requireNonNull(data, "data");
    Dataset held = validation;
    if (held == null && validationFraction > 0) {
      Dataset.Split split = data.split(validationFraction, seed);
      train = split.train();
      held = split.validation();
      if (held.size() == 0) {
        throw new CremaException(
            "A fraction of "
                + validationFraction
                + " of "
                + data.size()
                + " examples is none at all: nothing to validate on. Set more aside, bring more"
                + " data, or leave validation out.");
      }
    }
    Binding.inputs(model, train);
    if (held != null) {
      Binding.inputs(model, held);
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

  private static double notNegative(double value, String name) {
    if (!(value >= 0)) {
      throw new IllegalArgumentException(name + " must be at least 0, got " + value);
    }
    return value;
  }

  private static int atLeast(int least, int value, String name) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", got " + value);
    }
    return value;
  }
}
