package dev.crema.pass;

import dev.crema.graph.Application;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.TensorType;
import dev.crema.op.Add;
import dev.crema.op.Affine;
import dev.crema.op.Attention;
import dev.crema.op.AttentionGrad;
import dev.crema.op.MatMul;
import dev.crema.op.Softmax;
import dev.crema.op.SoftmaxGrad;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * For the CPU: trains attention over short sequences by other ops, which store the weights [..., t,
 * s] for the gradient, where {@link AttentionGrad} would compute them again. Two cores of Zen 3,
 * heads of 64 numbers, forward and backward, the time of the ops over that of the kernels:
 *
 * <pre>
 * t = s       32    64    128   197   512   1024
 * no mask     0.84  0.86  0.91  1.10  1.01  1.00
 * causal      0.92  0.82  1.25  1.40  1.77  2.11
 * </pre>
 *
 * Forward alone the kernel is never slower (1.0 to 1.4, causal 1.0 to 2.7).
 */
public record ComposeAttention() implements Pass {
  private static final long MOST_SCORES = 128 * 128; // of a head
  private static final long MOST_CAUSAL = 64 * 64;

  @Override
  public Rewrite apply(Computation from) {
    List<Application> live = from.live();
    Map<Application, Weights> composed = new IdentityHashMap<>();
    for (Application a : live) {
      if (a.op() instanceof AttentionGrad && isShort(a.input(3).application())) {
        composed.put(a.input(3).application(), null);
      }
    }
    for (Application a : live) {
      composed.keySet().removeIf(attention -> readsSums(a, attention));
    }
    composed.keySet().removeIf(attention -> from.outputs().contains(attention.output(1)));
    Rewrite rewrite = new Rewrite(from);
    for (Application a : live) {
      if (a.op() instanceof Attention op && composed.containsKey(a)) {
        composed.put(a, forward(rewrite, op, a));
      } else if (a.op() instanceof AttentionGrad op && composed.containsKey(attentionOf(a))) {
        backward(rewrite, op, a, composed.get(attentionOf(a)));
      } else {
        rewrite.copy(a);
      }
    }
    return rewrite;
  }

  /** What the gradient takes from the forward pass. */
  private record Weights(Node scaledQueries, Node weights) {}

  private static Application attentionOf(Application gradient) {
    return gradient.input(3).application();
  }

  private static boolean isShort(Application a) {
    if (!(a.op() instanceof Attention op)) {
      return false;
    }
    TensorType q = a.input(0).type();
    TensorType k = a.input(1).type();
    if (q.dim(-2).perExample() != 0 || k.dim(-2).perExample() != 0) {
      return false;
    }
    return q.extent(-2) * k.extent(-2) <= (op.causal() ? MOST_CAUSAL : MOST_SCORES);
  }

  /** Whether an op other than its gradient reads the logarithms of an attention's sums. */
  private static boolean readsSums(Application a, Application attention) {
    boolean reads = a.inputs().contains(attention.output(1));
    return reads && !(a.op() instanceof AttentionGrad && attentionOf(a) == attention);
  }

  private static Weights forward(Rewrite rewrite, Attention op, Application a) {
    Node[] in = rewrite.inputs(a);
    Node scaled = rewrite.add(new Affine(op.scale(), 0), a, in[0]).output(0);
    Node scores = product(rewrite, a, op.precision(), scaled, false, in[1], true);
    if (op.causal()) {
      Node mask = rewrite.add(Attention.future(in[1].type().extent(-2)), a).output(0);
      scores = rewrite.add(new Add(), a, scores, mask).output(0);
    }
    Node weights = rewrite.add(new Softmax(), a, scores).output(0);
    rewrite.put(a.output(0), product(rewrite, a, op.precision(), weights, false, in[2], false));
    return new Weights(scaled, weights);
  }

  private static void backward(Rewrite rewrite, AttentionGrad op, Application a, Weights w) {
    Node k = rewrite.map(a.input(1));
    Node v = rewrite.map(a.input(2));
    Node dy = rewrite.map(a.input(5));
    Precision p = op.precision();
    Node flow = product(rewrite, a, p, dy, false, v, true);
    Node slopes = rewrite.add(new SoftmaxGrad(), a, w.weights(), flow).output(0);
    Node dq = product(rewrite, a, p, slopes, false, k, false);
    rewrite.put(a.output(0), rewrite.add(new Affine(op.scale(), 0), a, dq).output(0));
    rewrite.put(a.output(1), product(rewrite, a, p, slopes, true, w.scaledQueries(), false));
    rewrite.put(a.output(2), product(rewrite, a, p, w.weights(), true, dy, false));
  }

  private static Node product(
      Rewrite rewrite,
      Application at,
      Precision precision,
      Node a,
      boolean transposeA,
      Node b,
      boolean transposeB) {
    return rewrite.add(new MatMul(transposeA, transposeB, precision), at, a, b).output(0);
  }
}
