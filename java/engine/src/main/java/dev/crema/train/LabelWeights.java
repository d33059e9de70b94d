package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.op.Affine;
import dev.crema.op.Mul;

/** Weights of yes-or-no answers. The mean stays one over the examples, not over the weights. */
final class LabelWeights {
  private LabelWeights() {}

  /**
   * Multiplies each term by its label's weight.
   *
   * @param labels targets in [0, 1], [n, ..., k]
   * @param weights null: none; for k = 1 of class 0 and of class 1; else for each label the weight
   *     of its presence, 1 being that of its absence
   */
  static Node apply(Node term, Node labels, float[] weights) {
    if (weights == null) {
      return term;
    }
    long k = labels.type().extent(-1);
    if (weights.length != (k == 1 ? 2 : k)) {
      throw new CremaException(
          k == 1
              ? "A model with one output has two classes: expected 2 class weights, got "
                  + weights.length
              : "There are "
                  + k
                  + " labels: expected a weight for each, got "
                  + weights.length
                  + " class weights");
    }
    if (k == 1) {
      return term.then(
          new Mul(), labels.then(new Affine((double) weights[1] - weights[0], weights[0])));
    }
    float[] excess = weights.clone();
    for (int i = 0; i < excess.length; i++) {
      excess[i] -= 1;
    }
    Node extra = labels.then(new Mul(), labels.graph().add(Constant.vector(excess)));
    return term.then(new Mul(), extra.then(new Affine(1, 1)));
  }
}
