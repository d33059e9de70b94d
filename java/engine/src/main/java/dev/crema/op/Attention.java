package dev.crema.op;

import dev.crema.graph.Constant;
import dev.crema.graph.Node;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import java.util.function.UnaryOperator;

/**
 * Scaled dot-product attention (Vaswani et al. 2017) of other ops: softmax(q · kᵀ / √d) · v. Its
 * gradient is theirs.
 */
public final class Attention {
  private Attention() {}

  /**
   * Attends.
   *
   * @param q queries [..., t, d]
   * @param k keys [..., s, d]
   * @param v values [..., s, e]
   * @param causal whether position i sees no key after i; then t and s must be the same
   * @param dropout of the weights [..., t, s]; identity for none
   * @return [..., t, e]
   * @throws ShapeException if the extents do not fit
   */
  public static Node scaledDotProduct(
      Node q, Node k, Node v, boolean causal, UnaryOperator<Node> dropout) {
    long d = q.type().extent(-1);
    // Of the smallest of the tensors that could be scaled.
    Node scaled = q.then(new Affine(1 / Math.sqrt(d), 0));
    Node scores = scaled.then(new MatMul(false, true), k);
    if (causal) {
      long t = scores.type().extent(-2);
      long s = scores.type().extent(-1);
      if (t != s) {
        throw new ShapeException(
            "causal attention needs as many keys as queries but gets " + t + " and " + s);
      }
      scores = scores.then(new Add(), q.graph().apply(future(t)).output(0));
    }
    return dropout.apply(scores.then(new Softmax())).then(new MatMul(false, false), v);
  }

  /** [t, t]: minus infinity above the diagonal. */
  private static Constant future(long t) {
    int side = Math.toIntExact(t);
    float[] mask = new float[Math.multiplyExact(side, side)];
    for (int row = 0; row < side; row++) {
      for (int column = row + 1; column < side; column++) {
        mask[row * side + column] = Float.NEGATIVE_INFINITY;
      }
    }
    return new Constant(mask, TensorType.of(t, t));
  }
}
