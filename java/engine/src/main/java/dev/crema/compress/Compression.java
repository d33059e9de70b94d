package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.nn.Model;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.time.Duration;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Searches for a faster or a smaller form of a trained model, and keeps one only if it pays: its
 * accuracy falls by no more than is allowed, and it is measurably better than the original on this
 * machine.
 *
 * <pre>{@code
 * try (CompressionResult result =
 *     Compression.optimize(model, train)
 *         .validation(held)
 *         .maxAccuracyDrop(0.005)
 *         .target(Target.LATENCY)
 *         .run()) {
 *   System.out.println(result);
 *   result.model().save(Path.of("small"));
 * }
 * }</pre>
 *
 * <p><b>What is tried</b>, in this order: static int8 with each way to calibrate; where that costs
 * too much accuracy, int8 of the smoothed model ({@link Quantizer#withSmoothing}), int8 with the
 * most sensitive layers left float32 ({@link QuantizationSensitivity}), one more at a time, and
 * quantization-aware training; where it is accurate but slow, int8 without the smaller layers;
 * dynamic int8, weights alone as int8 or int4, and on a card fp8; pruning in several patterns, to a
 * higher sparsity as long as the accuracy holds, of channels with the layers made smaller; and int8
 * of each of those, whole and, where that does not do, with some layers left float32, for {@link
 * Target#SIZE} int4 weights too. With {@link #epochs epochs} of 0 nothing is trained.
 *
 * <p><b>What passes.</b> Accuracy is that of classes or labels; of a regression it is R², the share
 * of the variance that is explained, so that a drop of 0.005 is half a point of it; or it is what
 * {@link #quality} says. For {@link Target#LATENCY} a form passes if the geometric mean of its
 * latencies at batch 1 and 32 is at least 5 % less than the original's, and at neither it is
 * slower; for {@link Target#SIZE} if its file is smaller. Of those that pass, costs within 3 % of
 * the least count as equal: then accuracy decides, then the other cost, then the order of trying.
 * Latencies are medians of rounds in which the models run in turns ({@link Comparison}), the
 * original twice: as far as it differs from itself the machine is busy, and what is faster by less
 * does not pass. The best forms are measured once more, all together, before one is kept.
 *
 * <p><b>Which examples.</b> None that judges was trained or calibrated on. Candidates are chosen by
 * one half of the validation data; on the other half, or the {@link #test} data, before and after
 * are measured, and a form whose accuracy falls too much there is not kept either. Where there are
 * too few examples for two halves the result says so.
 *
 * <p>The same seed and threads give the same candidates; which one is the fastest, the clock says.
 * The model is only read. Not thread-safe.
 */
public final class Compression {
  /** Hears how a search goes on, on the thread that runs it. */
  public interface Listener {
    /** A form is about to be made, which may take a training. */
    default void starting(String name) {}

    /** A form was tried; which of those that passed is kept is known at the end only. */
    default void tried(Trial trial) {}
  }

  private static final double VALIDATION = 0.2;

  final Model model;
  final Dataset data;
  Dataset validation;
  Dataset test;
  Quality quality; // null: what is usual for the task
  double maxAccuracyDrop = 0.005;
  Target target = Target.LATENCY;
  int epochs = 3;
  int batchSize = 32;
  Optimizer optimizer = Optimizer.adam(0.001);
  Consumer<Trainer> training = trainer -> {};
  Duration budget;
  BooleanSupplier cancelled = () -> false;
  Listener listener = new Listener() {};
  long seed = 42;
  int threads;
  Device device = Device.best();
  Stopwatch stopwatch = Latency::medians;
  Strategy strategy = new StandardStrategy();

  private Compression(Model model, Dataset data) {
    this.model = model;
    this.data = data;
  }

  /**
   * A search with the usual settings.
   *
   * @param model trained, with one output; stays as it is and open
   * @param data examples to fine-tune and calibrate with, such as those that the model was trained
   *     on
   * @throws CremaException if the model is quantized already, or has several outputs
   */
  public static Compression optimize(Model model, Dataset data) {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(data, "data");
    if (model.quantization() != null) {
      throw new CremaException(
          "This model is quantized already, so that it can be neither trained nor quantized"
              + " otherwise. Compress the one it was made of.");
    }
    if (model.topology().outputs().size() != 1) {
      throw new CremaException(
          "A compression is judged by one accuracy, but the model has the outputs "
              + model.topology().outputs()
              + ". Compress such a model with Pruner and Quantizer, and compare with Comparison.");
    }
    return new Compression(model, data);
  }

  /**
   * What is judged by, where it is not accuracy or R²: with rare classes {@link
   * Quality#BALANCED_ACCURACY}, since a form that no longer finds them has nearly the same
   * accuracy. The search refuses what is not of the model's task.
   */
  public Compression quality(Quality value) {
    quality = Objects.requireNonNull(value, "quality");
    return this;
  }

  /** How much accuracy may be lost, as a share: 0.005, the default, is half a point. */
  public Compression maxAccuracyDrop(double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException(
          "The accuracy may drop by a share from 0 to 1, such as 0.005 for half a point; got "
              + share);
    }
    maxAccuracyDrop = share;
    return this;
  }

  /** What to make small; {@link Target#LATENCY} by default. */
  public Compression target(Target value) {
    target = Objects.requireNonNull(value, "target");
    return this;
  }

  /**
   * Examples to judge by, which the model was not trained on. By default a fifth of the data, set
   * apart by the seed as a training with that seed and fraction does.
   */
  public Compression validation(Dataset value) {
    validation = Objects.requireNonNull(value, "validation");
    return this;
  }

  /** Examples to measure before and after on, in place of one half of the validation data. */
  public Compression test(Dataset value) {
    test = Objects.requireNonNull(value, "test");
    return this;
  }

  /** Of each training of a candidate; 3 by default, 0 for none. */
  public Compression epochs(int value) {
    epochs = atLeast(0, value, "epochs");
    return this;
  }

  /** Examples of a step of a training; 32 by default. */
  public Compression batchSize(int value) {
    batchSize = atLeast(1, value, "batchSize");
    return this;
  }

  /**
   * Of trainings; by default Adam with a learning rate of 0.001. The rate falls to 0 along a
   * cosine; quantization-aware training begins with a tenth of it.
   */
  public Compression optimizer(Optimizer value) {
    optimizer = Objects.requireNonNull(value, "optimizer");
    return this;
  }

  /**
   * More settings of each training, such as class weights: called with the trainer before it
   * trains.
   */
  public Compression training(Consumer<Trainer> settings) {
    training = Objects.requireNonNull(settings, "settings");
    return this;
  }

  /**
   * How long to search. When that is over no candidate is begun, a training that runs is given up,
   * and the best so far is measured and kept.
   */
  public Compression budget(Duration value) {
    Objects.requireNonNull(value, "budget");
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException("The budget must be more than no time, got " + value);
    }
    budget = value;
    return this;
  }

  /** Asked before each candidate and each step of a training: true ends the search as a budget. */
  public Compression cancelWhen(BooleanSupplier value) {
    cancelled = Objects.requireNonNull(value, "cancelled");
    return this;
  }

  public Compression listener(Listener value) {
    listener = Objects.requireNonNull(value, "listener");
    return this;
  }

  /** Of trainings, and of what parts data; 42 by default. */
  public Compression seed(long value) {
    seed = value;
    return this;
  }

  /** Threads of the pool, to train and to measure; 0, the default, for all. */
  public Compression threads(int value) {
    threads = atLeast(0, value, "threads");
    return this;
  }

  public Compression device(Device value) {
    device = Objects.requireNonNull(value, "device");
    return this;
  }

  /**
   * Searches; from seconds, without trainings, to minutes.
   *
   * @return what was tried and what is kept; the caller closes it
   * @throws CremaException if the data does not fit the model, or there is too little to judge by
   */
  public CompressionResult run() {
    Examples examples = Examples.of(data, validation, test, VALIDATION, seed, maxAccuracyDrop);
    try (CandidateSearch search = new CandidateSearch(this, examples)) {
      return search.run();
    }
  }

  private static int atLeast(int least, int value, String name) {
    if (value < least) {
      throw new IllegalArgumentException(name + " must be at least " + least + ", got " + value);
    }
    return value;
  }
}
