package dev.crema.train;

import dev.crema.eval.Scores;
import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.op.Affine;
import dev.crema.op.Mul;
import dev.crema.op.ReduceMax;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.Relu;
import dev.crema.op.Sub;
import java.util.List;

/** {@link Losses#categoricalHinge}. An example counts as its class's weight, the mean is plain. */
record CategoricalHinge() implements ClassLoss {
  @Override
  public String name() {
    return "categorical_hinge";
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    Node scores = CategoricalCrossentropy.logits(output);
    Node classes = Targets.oneHot(name(), target, output.type());
    List<Integer> last = List.of(output.type().rank() - 1);
    Node right = classes.then(new Mul(), scores).then(new ReduceSum(last, false));
    Node others = classes.then(new Affine(-1, 1)).then(new Mul(), scores);
    Node best = others.then(new ReduceMax(last, false));
    Node term = best.then(new Sub(), right).then(new Affine(1, 1)).then(new Relu());
    if (classWeights != null) {
      Node weights = output.graph().add(Constant.vector(classWeights));
      Node weight = classes.then(new Mul(), weights).then(new ReduceSum(last, false));
      term = term.then(new Mul(), weight);
    }
    return new Nodes(ReduceMean.all(term), scores, Scores.LOGITS);
  }
}
