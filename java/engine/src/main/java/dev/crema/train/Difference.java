package dev.crema.train;

import dev.crema.CremaException;
import dev.crema.eval.Scores;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.op.Abs;
import dev.crema.op.Huber;
import dev.crema.op.ReduceMean;
import dev.crema.op.Square;
import dev.crema.op.Sub;

/**
 * A mean over differences of numbers.
 *
 * @param term of a difference
 */
record Difference(String name, Op term) implements ValueLoss {
  static final Difference SQUARED = new Difference("mean_squared_error", new Square());
  static final Difference ABSOLUTE = new Difference("mean_absolute_error", new Abs());

  static Difference huber(double delta) {
    if (!(delta > 0) || Double.isInfinite(delta)) {
      throw new IllegalArgumentException("The delta of huber must be above 0, got " + delta);
    }
    return new Difference(delta == 1 ? "huber" : "huber:" + delta, new Huber(delta));
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    refuseWeights(name, classWeights);
    Node difference = output.then(new Sub(), target);
    return new Nodes(ReduceMean.all(difference.then(term)), output, Scores.LOGITS);
  }

  static void refuseWeights(String name, float[] classWeights) {
    if (classWeights != null) {
      throw new CremaException("Class weights make no sense for a regression (" + name + ")");
    }
  }
}
