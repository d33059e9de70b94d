package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.eval.Scores;
import dev.crema.graph.Node;
import dev.crema.op.Affine;
import dev.crema.op.BinaryCrossEntropy;
import dev.crema.op.Linear;
import dev.crema.op.ReduceMean;
import dev.crema.op.Sigmoid;
import dev.crema.op.SigmoidCrossEntropy;

/** {@link Losses#binaryCrossentropy}. */
record BinaryCrossentropy(boolean fromLogits, double labelSmoothing) implements LabelLoss {
  BinaryCrossentropy {
    CategoricalCrossentropy.requireSmoothing(labelSmoothing);
  }

  @Override
  public String name() {
    return "binary_crossentropy" + (fromLogits ? "_from_logits" : "");
  }

  @Override
  public String description() {
    return name() + Losses.smoothing(labelSmoothing);
  }

  @Override
  public Loss withLabelSmoothing(double amount) {
    return new BinaryCrossentropy(fromLogits, amount);
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    Node labels = Targets.labels(target, output.type());
    Node smooth =
        labelSmoothing == 0
            ? labels
            : labels.then(new Affine(1 - labelSmoothing, labelSmoothing / 2));
    boolean logits = fromLogits || output.op() instanceof Sigmoid;
    if (!logits && output.op() instanceof Linear) {
      throw new CremaException(
          "binary_crossentropy takes probabilities, but the model ends in a linear layer"
              + ". Give its last layer the activation sigmoid, or use"
              + " binary_crossentropy_from_logits.");
    }
    Node scores = logits ? logits(output) : output;
    Node term = scores.then(logits ? new SigmoidCrossEntropy() : new BinaryCrossEntropy(), smooth);
    Node weighted = LabelWeights.apply(term, labels, classWeights);
    return new Nodes(
        ReduceMean.all(weighted), scores, logits ? Scores.LOGITS : Scores.PROBABILITIES);
  }

  /** What goes into a sigmoid at the model's end, else the output itself. */
  static Node logits(Node output) {
    return output.op() instanceof Sigmoid ? output.application().input(0) : output;
  }
}
