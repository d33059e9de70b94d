package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.graph.Node;
import dev.crema.memory.ElementType;
import dev.crema.nn.Model;
import dev.crema.op.Sigmoid;
import dev.crema.op.Softmax;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/**
 * The losses that Crema has, named and defined as in Keras. Each is a mean over the batch; those
 * over several outputs are means (regression, binary) or sums (divergence, cosine) over them too.
 */
public final class Losses {
  /** What {@link #of} knows; it knows the short names in brackets too. */
  public static final List<String> NAMES =
      List.of(
          "categorical_crossentropy (cce)",
          "sparse_categorical_crossentropy (scce)",
          "binary_crossentropy (bce)",
          "binary_crossentropy_from_logits (bce_with_logits)",
          "mean_squared_error (mse)",
          "mean_absolute_error (mae)",
          "huber[:DELTA]",
          "kl_divergence (kld)",
          "hinge",
          "categorical_hinge",
          "cosine_similarity (cosine)");

  private static final String HUBER = "huber:";

  private Losses() {}

  /**
   * The loss that a model with one output was trained with, its label smoothing too; empty if its
   * file does not say.
   *
   * @throws IllegalArgumentException if the file names one that is not known here
   */
  public static Optional<Loss> ofTraining(Model model) {
    return TrainedLosses.only(Objects.requireNonNull(model, "model"));
  }

  /** As {@link #categoricalCrossentropy}, of class numbers where no data says which. */
  public static Loss sparseCategoricalCrossentropy() {
    return new CategoricalCrossentropy(true, 0);
  }

  /**
   * Cross-entropy of softmax against class numbers, or against probabilities of the classes
   * (one-hot). Takes the model's logits: where its output is a softmax, what goes into that. With
   * class numbers, class weights make it a mean weighted by them.
   */
  public static Loss categoricalCrossentropy() {
    return new CategoricalCrossentropy(false, 0);
  }

  /**
   * Cross-entropy of sigmoid outputs, each a yes-or-no answer by itself. Takes the logits: what
   * goes into the sigmoid at the model's end; other outputs are taken as probabilities. Targets lie
   * in [0, 1]; of a model with one output they may be the class numbers 0 and 1. Class weights: of
   * class 0 and class 1 for one output; for more, one a label, of its presence.
   */
  public static Loss binaryCrossentropy() {
    return new BinaryCrossentropy(false, 0);
  }

  /** As {@link #binaryCrossentropy()}, of a model that ends in logits instead of a sigmoid. */
  public static Loss binaryCrossentropyFromLogits() {
    return new BinaryCrossentropy(true, 0);
  }

  /** Mean of squared differences. */
  public static Loss meanSquaredError() {
    return Difference.SQUARED;
  }

  /** Mean of absolute differences. */
  public static Loss meanAbsoluteError() {
    return Difference.ABSOLUTE;
  }

  /**
   * Half the squared difference up to {@code delta}, linear beyond (Huber 1964).
   *
   * @param delta above 0; 1 is usual
   */
  public static Loss huber(double delta) {
    return Difference.huber(delta);
  }

  /**
   * Kullback-Leibler divergence Σ t ln(t / p) of the model's probabilities from the target's, over
   * the last axis. Where the output is a softmax or log-softmax its logarithm is taken exactly;
   * other outputs are first cut to [1e-7, 1].
   */
  public static Loss klDivergence() {
    return new Divergence();
  }

  /**
   * Hinge loss of yes-or-no answers: max(0, 1 − y s) with y = ±1 for targets of 1 and 0, and s the
   * model's score: what goes into a sigmoid at its end. Class weights as in {@link
   * #binaryCrossentropy}.
   */
  public static Loss hinge() {
    return new Hinge();
  }

  /**
   * Hinge loss of one class of several, as Keras has it: max(0, 1 + max of (1 − t) s − Σ t s), with
   * t one-hot and s the scores: what goes into a softmax at the model's end. The right class counts
   * as 0 in the inner maximum.
   */
  public static Loss categoricalHinge() {
    return new CategoricalHinge();
  }

  /**
   * −cos of the angle between output and target over the last axis, in [−1, 1], as Keras has it; 0
   * where one of them is zero.
   */
  public static Loss cosineSimilarity() {
    return new CosineSimilarity();
  }

  /**
   * By name, as the command line and model files have it.
   *
   * @throws IllegalArgumentException if there is none of that name
   */
  public static Loss of(String name) {
    String lower = Objects.requireNonNull(name, "name").strip().toLowerCase(Locale.ROOT);
    if (lower.startsWith(HUBER)) {
      return huber(delta(name, lower.substring(HUBER.length())));
    }
    return switch (lower) {
      case "categorical_crossentropy", "cce" -> categoricalCrossentropy();
      case "sparse_categorical_crossentropy", "scce" -> sparseCategoricalCrossentropy();
      case "binary_crossentropy", "bce" -> binaryCrossentropy();
      case "binary_crossentropy_from_logits", "bce_with_logits" -> binaryCrossentropyFromLogits();
      case "mean_squared_error", "mse" -> meanSquaredError();
      case "mean_absolute_error", "mae" -> meanAbsoluteError();
      case "huber" -> huber(1);
      case "kl_divergence", "kld", "kl" -> klDivergence();
      case "hinge" -> hinge();
      case "categorical_hinge" -> categoricalHinge();
      case "cosine_similarity", "cosine" -> cosineSimilarity();
      default ->
          throw new IllegalArgumentException(
              "There is no loss '" + name + "'; there are " + String.join(", ", NAMES));
    };
  }

  private static double delta(String name, String number) {
    try {
      return Double.parseDouble(number);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("In the loss '" + name + "' expected huber:NUMBER", e);
    }
  }

  /** Label smoothing in a description. */
  static String smoothing(double amount) {
    return amount == 0 ? "" : ", label smoothing " + amount;
  }

  static Loss infer(Node output, Dataset.Slot target) {
    boolean sigmoid = output.op() instanceof Sigmoid;
    if (target.type() == ElementType.INT32) {
      boolean single = output.type().elements().perExample() == 1;
      if (single && output.op() instanceof Softmax) {
        throw new CremaException(
            "The model's output is a softmax of one value, which is 1 whatever the model learns."
                + " Give it an output for each class, or one with a sigmoid.");
      }
      return !single
          ? sparseCategoricalCrossentropy()
          : sigmoid ? binaryCrossentropy() : binaryCrossentropyFromLogits();
    }
    if (output.op() instanceof Softmax) {
      return categoricalCrossentropy();
    }
    return sigmoid ? binaryCrossentropy() : meanSquaredError();
  }
}
