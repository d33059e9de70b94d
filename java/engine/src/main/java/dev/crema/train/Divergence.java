package dev.crema.train;

import dev.crema.eval.Scores;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.op.Clip;
import dev.crema.op.KlDivergence;
import dev.crema.op.Log;
import dev.crema.op.LogSoftmax;
import dev.crema.op.Mul;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.Softmax;
import java.util.List;

/** {@link Losses#klDivergence}. Class weights multiply the terms of their class. */
record Divergence() implements ClassLoss {
  private static final double LEAST = 1e-7; // Keras's

  @Override
  public String name() {
    return "kl_divergence";
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    boolean softmax = output.op() instanceof Softmax;
    boolean logarithms = softmax || output.op() instanceof LogSoftmax;
    Node scores = CategoricalCrossentropy.logits(output);
    Node q =
        softmax
            ? scores.then(new LogSoftmax())
            : logarithms ? output : output.then(new Clip(LEAST, 1)).then(new Log());
    Node term = q.then(new KlDivergence(), Targets.oneHot(name(), target, output.type()));
    if (classWeights != null) {
      term = term.then(new Mul(), output.graph().add(Constant.vector(classWeights)));
    }
    Node sums = term.then(new ReduceSum(List.of(output.type().rank() - 1), false));
    return new Nodes(
        ReduceMean.all(sums), scores, logarithms ? Scores.LOGITS : Scores.PROBABILITIES);
  }
}
