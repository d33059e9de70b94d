package dev.crema.op;

import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.TensorType;

/**
 * What flows back from the statistics that a normalisation also gives: mean m and s = 1 / √(v + ε),
 * where v is the mean of (x − m)². With N elements of x for each of them, dm/dx = 1/N and ds/dx =
 * −s³ (x − m) / N. Nothing is added for a statistic that the loss does not use.
 */
final class NormStatistics {
  private NormStatistics() {}

  /**
   * @param mean null: not subtracted (RMS)
   * @param kept the type of a statistic with extents of 1, so that it repeats along x
   * @param dMean null: not used
   * @param dInverse null: not used
   */
  static void gradient(
      Gradients g, Node x, Node mean, Node inverse, TensorType kept, Node dMean, Node dInverse) {
    if (dMean != null) {
      g.add(x, repeatable(dMean.then(new MeanScale(), x), kept).then(new BroadcastTo(x.type())));
    }
    if (dInverse != null) {
      Node cube = inverse.then(new Square()).then(new Mul(), inverse);
      Node share = dInverse.then(new Mul(), cube).then(new Neg()).then(new MeanScale(), x);
      Node centred = mean == null ? x : x.then(new Sub(), repeatable(mean, kept));
      g.add(x, centred.then(new Mul(), repeatable(share, kept)));
    }
  }

  private static Node repeatable(Node statistic, TensorType kept) {
    return statistic.type().equals(kept) ? statistic : statistic.then(new Reshape(kept));
  }
}
