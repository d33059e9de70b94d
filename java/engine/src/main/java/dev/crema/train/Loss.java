package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.eval.Scores;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.nn.BuiltIn;

/** What a training makes small. {@link Losses} has those that there are; one may write others. */
public interface Loss {
  /** As the command line and model files name it; {@link Losses#of} understands it. */
  String name();

  /** Its name and settings. A checkpoint compares them on resume. */
  default String description() {
    return name();
  }

  /**
   * What the model's numbers answer under this loss, which decides accuracy and report: one of
   * several classes, labels each by itself, or values.
   */
  BuiltIn.Output answers();

  /**
   * The type of the targets in the graph.
   *
   * @param output what the model gives, [n, ...]
   * @param target what the data has
   * @throws dev.crema.CremaException if this loss cannot compare the two
   */
  TensorType target(TensorType output, Dataset.Slot target);

  /**
   * The target that it takes where no data says which: a number for each output, unless the loss is
   * one of class numbers.
   */
  default Dataset.Slot usualTarget(TensorType output) {
    return Targets.numbers(output);
  }

  /**
   * Adds the mean loss over the batch to a graph.
   *
   * @param target of the type that {@link #target} gave
   * @param classWeights what each class counts; null for all the same
   */
  Nodes build(Node output, Node target, float[] classWeights);

  /**
   * The same loss against softer targets (Szegedy et al. 2016): of k classes t becomes (1 − amount)
   * t + amount / k; of a label (1 − amount) t + amount / 2.
   *
   * @throws IllegalArgumentException if this loss has none, or the amount is outside [0, 1)
   */
  default Loss withLabelSmoothing(double amount) {
    throw new IllegalArgumentException(
        "The loss " + name() + " has no label smoothing; the cross-entropies have");
  }

  /** The amount of {@link #withLabelSmoothing}; 0 without. */
  default double labelSmoothing() {
    return 0;
  }

  /**
   * A loss in a graph.
   *
   * @param loss a scalar
   * @param scores what answers are read from: logits where the loss takes those
   * @param kind whether scores are logits (a label is there above 0) or probabilities (above 0.5)
   */
  record Nodes(Node loss, Node scores, Scores kind) {}

  /**
   * What the model's output and the targets suggest: cross-entropy for softmax and for classes, its
   * binary form for sigmoid, mean squared error for other numbers.
   */
  static Loss infer(Node output, Dataset.Slot target) {
    return Losses.infer(output, target);
  }
}
