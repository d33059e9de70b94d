package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.eval.Scores;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Softmax;
import dev.crema.op.SoftmaxCrossEntropy;

/**
 * {@link Losses#categoricalCrossentropy}. Takes class numbers and probabilities alike.
 *
 * @param sparse whether targets are class numbers where no data says it
 */
record CategoricalCrossentropy(boolean sparse, double labelSmoothing) implements ClassLoss {
  CategoricalCrossentropy {
    requireSmoothing(labelSmoothing);
  }

  static void requireSmoothing(double amount) {
    if (!(amount >= 0 && amount < 1)) {
      throw new IllegalArgumentException("Label smoothing lies in [0, 1), got " + amount);
    }
  }

  @Override
  public String name() {
    return (sparse ? "sparse_" : "") + "categorical_crossentropy";
  }

  @Override
  public String description() {
    return name() + Losses.smoothing(labelSmoothing);
  }

  @Override
  public Loss withLabelSmoothing(double amount) {
    return new CategoricalCrossentropy(sparse, amount);
  }

  @Override
  public Dataset.Slot usualTarget(TensorType output) {
    return sparse ? Targets.classNumbers(output) : Targets.numbers(output);
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    Node logits = logits(output);
    Node weights = classWeights == null ? null : output.graph().add(Constant.vector(classWeights));
    Node loss = logits.then(new SoftmaxCrossEntropy(labelSmoothing), target, weights);
    return new Nodes(loss, logits, Scores.LOGITS);
  }

  /** What goes into a softmax at the model's end, else the output itself. */
  static Node logits(Node output) {
    return output.op() instanceof Softmax ? output.application().input(0) : output;
  }
}
