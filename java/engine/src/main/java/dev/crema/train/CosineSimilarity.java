package dev.crema.train;

import dev.crema.eval.Scores;
import dev.crema.graph.Node;
import dev.crema.op.Maximum;
import dev.crema.op.Mul;
import dev.crema.op.Neg;
import dev.crema.op.ReduceMean;
import dev.crema.op.ReduceSum;
import dev.crema.op.ReduceSumSquares;
import dev.crema.op.Rsqrt;
import java.util.List;

/** {@link Losses#cosineSimilarity}. */
record CosineSimilarity() implements ValueLoss {
  private static final float LEAST = 1e-12f; // of a squared norm: Keras's

  @Override
  public String name() {
    return "cosine_similarity";
  }

  @Override
  public Nodes build(Node output, Node target, float[] classWeights) {
    Difference.refuseWeights(name(), classWeights);
    List<Integer> last = List.of(output.type().rank() - 1);
    Node product = unit(output, last).then(new Mul(), unit(target, last));
    Node cosine = product.then(new ReduceSum(last, false));
    return new Nodes(ReduceMean.all(cosine).then(new Neg()), output, Scores.LOGITS);
  }

  private static Node unit(Node x, List<Integer> last) {
    Node squares = x.then(new ReduceSumSquares(last, true));
    Node inverse = squares.then(new Maximum(), x.graph().constant(LEAST)).then(new Rsqrt());
    return x.then(new Mul(), inverse);
  }
}
