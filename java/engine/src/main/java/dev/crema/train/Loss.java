package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;

/** What a training makes small. Implementations are records in {@link Losses}. */
public interface Loss {
  /** As the command line and model files name it. */
  String name();

  /** The type of the targets for a model with that output. */
  TensorType target(TensorType output);

  /** Whether the right class is the one with the highest score. */
  boolean isClassification();

  /**
   * Adds the mean loss over the batch to a graph.
   *
   * @param classWeights what each class counts, by class; null for all the same
   */
  Nodes build(Node output, Node target, float[] classWeights);

  /**
   * A loss in a graph.
   *
   * @param loss a scalar
   * @param scores what the model gives, of which the highest is its answer: logits where the loss
   *     takes those
   */
  record Nodes(Node loss, Node scores) {}

  /** What the model's output and the targets suggest. */
  static Loss infer(Node output, Dataset.Slot target) {
    return Losses.infer(output, target);
  }
}
