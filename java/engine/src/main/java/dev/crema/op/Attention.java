package dev.crema.op;

import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Constant;
import dev.crema.graph.Dim;
import dev.crema.graph.Gradients;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.ShapeException;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * Scaled dot-product attention (Vaswani et al. 2017): softmax(scale · q · kᵀ) · v. No device stores
 * the scores [..., t, s]: blocks of them are made where they are used (Dao et al. 2022), and again
 * for the gradient, so that memory grows with t + s.
 *
 * <p>Inputs, all of one floating type and with the same axes before: q [..., t, d], k [..., s, d],
 * v [..., s, e]. Outputs: y [..., t, e] of their type; then, for the gradient only, the logarithm
 * of the sum of each query's exponentials [..., t] in float32. With {@code headsInside} there is an
 * axis of heads, each attending for itself, before the last of all: [..., t, h, d], as a dense
 * layer leaves them. NaN and infinities spread as in the softmax of the scores; what keys that a
 * causal mask hides hold beside numbers (NaN or an infinity) may or may not spread.
 *
 * @param causal whether query i sees no key after i; then t and s must be the same
 * @param scale of the scores, positive: usually 1 / √d
 * @param precision in which float32 factors of its products are read
 * @param headsInside whether q is [..., t, h, d] and all others so, rather than [..., t, d]
 */
public record Attention(boolean causal, double scale, Precision precision, boolean headsInside)
    implements Op {
  public Attention {
    requireScale(scale);
    Objects.requireNonNull(precision, "precision");
  }

  /**
   * Attends with the scale 1 / √d.
   *
   * @param q queries [..., t, d]
   * @param k keys [..., s, d]
   * @param v values [..., s, e]
   * @param causal whether position i sees no key after i; then t and s must be the same
   * @return [..., t, e]
   * @throws ShapeException if the extents do not fit
   */
  public static Node scaledDotProduct(Node q, Node k, Node v, boolean causal) {
    return q.then(new Attention(causal, scaleOf(q), Precision.FLOAT32, false), k, v);
  }

  /**
   * The same for heads beside each other, as a dense layer leaves them: nothing is moved.
   *
   * @param q queries [..., t, h, d]
   * @param k keys [..., s, h, d]
   * @param v values [..., s, h, e]
   * @return [..., t, h, e]
   */
  public static Node ofHeads(Node q, Node k, Node v, boolean causal) {
    return q.then(new Attention(causal, scaleOf(q), Precision.FLOAT32, true), k, v);
  }

  /**
   * The same with a function of the weights, such as dropout, made of other ops: it stores them
   * all.
   *
   * @param of the weights [..., t, s], which it leaves of that type
   */
  public static Node scaledDotProduct(
      Node q, Node k, Node v, boolean causal, UnaryOperator<Node> of) {
    infer(List.of(q.type(), k.type(), v.type()), causal, false);
    // Of the smallest of the tensors that could be scaled.
    Node scaled = q.then(new Affine(scaleOf(q), 0));
    Node scores = scaled.then(new MatMul(false, true), k);
    if (causal) {
      Constant mask = future(scores.type().extent(-1));
      scores = scores.then(new Add(), q.graph().apply(mask).output(0));
    }
    return of.apply(scores.then(new Softmax())).then(new MatMul(false, false), v);
  }

  /** The same attention whose products read their factors in another precision. */
  public Attention withPrecision(Precision other) {
    return new Attention(causal, scale, other, headsInside);
  }

  @Override
  public List<TensorType> infer(List<TensorType> in) {
    return infer(in, causal, headsInside);
  }

  private static List<TensorType> infer(List<TensorType> in, boolean causal, boolean inside) {
    TensorType q = in.get(0).requireFloating("q");
    TensorType k = in.get(1).requireElement(q.element(), "k");
    TensorType v = in.get(2).requireElement(q.element(), "v");
    int sequence = inside ? -3 : -2;
    if (!fit(q, k, sequence) || !fit(q, v, sequence)) {
      throw new ShapeException(
          (inside
                  ? "needs queries [..., t, h, d], keys [..., s, h, d] and values [..., s, h, e]"
                  : "needs queries [..., t, d], keys [..., s, d] and values [..., s, e]")
              + " whose other axes are the same but gets "
              + q
              + ", "
              + k
              + " and "
              + v);
    }
    if (!q.dim(-1).equals(k.dim(-1))) {
      throw new ShapeException("queries " + q + " and keys " + k + " differ in their last extents");
    }
    if (!k.dim(sequence).equals(v.dim(sequence))) {
      throw new ShapeException(
          "needs a value for each key but gets keys " + k + " and values " + v);
    }
    if (causal && !q.dim(sequence).equals(k.dim(sequence))) {
      throw new ShapeException(
          "causal attention needs as many keys as queries but gets "
              + q.dim(sequence)
              + " queries and "
              + k.dim(sequence)
              + " keys. Leave the mask away, or attend to a sequence of the same length.");
    }
    return List.of(q.withDim(-1, v.dim(-1)), rows(q));
  }

  /** Whether two have the same axes but for their sequences and their last. */
  private static boolean fit(TensorType q, TensorType other, int sequence) {
    if (q.rank() < -sequence || other.rank() != q.rank()) {
      return false;
    }
    return other.withDim(sequence, q.dim(sequence)).withDim(-1, q.dim(-1)).equals(q);
  }

  /** [..., t] of queries [..., t, d], in float32. */
  static TensorType rows(TensorType q) {
    List<Dim> dims = q.dims().subList(0, q.rank() - 1);
    return q.withDims(dims).withElement(ElementType.FLOAT32);
  }

  @Override
  public void attributes(Attributes a) {
    a.bool(causal).bool(precision == Precision.BFLOAT16).bool(headsInside);
    a.floats(scale);
  }

  @Override
  public void gradient(Application y, List<Node> dy, Gradients g) {
    if (dy.get(1) != null) {
      throw new ShapeException("no gradient is defined for the logarithms of an Attention's sums");
    }
    Node q = y.input(0);
    Application d =
        y.graph()
            .apply(
                new AttentionGrad(causal, scale, precision, headsInside),
                q,
                y.input(1),
                y.input(2),
                y.output(0),
                y.output(1),
                Cast.to(q.type().element(), dy.get(0)));
    for (int i = 0; i < 3; i++) {
      g.add(y.input(i), d.output(i));
    }
  }

  static void requireScale(double scale) {
    if (!(scale > 0) || Double.isInfinite(scale)) {
      throw new ShapeException("the scale of attention must be a positive number, got " + scale);
    }
  }

  private static double scaleOf(Node q) {
    return 1 / Math.sqrt(q.type().extent(-1));
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
