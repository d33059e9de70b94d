package dev.crema.train;

import dev.crema.eval.Scores;
import dev.crema.graph.Node;
import dev.crema.op.Affine;
import dev.crema.op.Mul;
import dev.crema.op.ReduceMean;
import dev.crema.op.Relu;

/** {@link Losses#hinge}. */
record Hinge() implements LabelLoss {
  @Override
  public String name() {
    return "hinge";
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    Node scores = BinaryCrossentropy.logits(output);
    Node labels = Targets.labels(target, output.type());
    Node margin = labels.then(new Affine(2, -1)).then(new Mul(), scores);
    Node term = margin.then(new Affine(-1, 1)).then(new Relu());
    Node weighted = LabelWeights.apply(term, labels, classWeights);
    return new Nodes(ReduceMean.all(weighted), scores, Scores.LOGITS);
  }
}
