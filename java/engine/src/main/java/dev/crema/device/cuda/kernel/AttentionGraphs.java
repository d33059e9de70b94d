package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.OperationGraph.Builder;
import dev.crema.device.cuda.kernel.OperationGraph.Mode;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;
import java.util.Locale;

/**
 * Attention and its gradient as cuDNN's engines for fused attention expect them, operation by
 * operation: those patterns are what they recognise. Matrices are turned around by strides; the
 * backward one stores dq by a product of its own rather than adding to it, which is the form whose
 * sums come in a fixed order.
 */
final class AttentionGraphs {
  /** The first cuDNN for CUDA 13; since 9.10 a mask of -infinity is right. */
  private static final long FORWARD = 91200;

  /** For those before, cudnn-frontend adds a mask against a fault unless keys come in 128s. */
  private static final long BACKWARD_OF_ANY_LENGTH = 91501;

  private static final long KEYS = 128;

  /**
   * Extents and layout.
   *
   * @param b examples
   * @param h heads of an example
   * @param inside whether tensors are [b, t, h, d] rather than [b, h, t, d]
   */
  record Form(
      Type type,
      long b,
      long h,
      long t,
      long s,
      long d,
      long e,
      boolean inside,
      boolean causal,
      float scale) {
    private Tensor tensor(Builder g, long rows, long columns) {
      long head = inside ? columns : rows * columns;
      long row = inside ? h * columns : columns;
      return g.memory(
          type, new long[] {b, h, rows, columns}, new long[] {h * rows * columns, head, row, 1});
    }

    /** For people, too: all that its time depends on. */
    String name(String pass, long examples) {
      return String.format(
          Locale.ROOT,
          "%s %s [%d, %d, %d, %d] by [%d, %d]%s%s",
          pass,
          type.name().toLowerCase(Locale.ROOT),
          examples,
          h,
          t,
          d,
          s,
          e,
          causal ? ", causal" : "",
          inside ? ", heads inside" : "");
    }
  }

  private AttentionGraphs() {}

  /** In memory: q, k, v, y, the logarithms of the sums [b, h, t, 1]. */
  static OperationGraph forward(Form f) {
    Builder g = new Builder();
    Tensor q = f.tensor(g, f.t(), f.d());
    Tensor k = g.turned(f.tensor(g, f.s(), f.d()));
    Tensor v = f.tensor(g, f.s(), f.e());
    Tensor y = f.tensor(g, f.t(), f.e());
    Tensor logs = g.memory(Type.FLOAT32, f.b(), f.h(), f.t(), 1);
    Tensor scores = masked(f, g, g.pointwise(Mode.MULTIPLY, g.product(q, k), g.value(f.scale())));
    Tensor most = g.reduction(true, scores);
    Tensor shifted = g.pointwise(Mode.SUBTRACT, scores, most);
    Tensor exponentials = g.pointwise(Mode.EXP, shifted, null);
    Tensor sums = g.reduction(false, exponentials);
    Tensor logOfSums = g.pointwise(Mode.LOG, sums, null);
    g.pointwise(Mode.ADD, most, logOfSums, logs);
    g.product(g.pointwise(Mode.DIVIDE, exponentials, sums, f.type()), v, y);
    return g.build(f.name("attention", f.b()), FORWARD);
  }

  /**
   * In memory: q, k, v, y, the logarithms of the sums [b, h, t, 1], dy, dq, dk, dv, and room for
   * float32 [b, h, t, 1].
   */
  static OperationGraph backward(Form f) {
    Builder g = new Builder();
    Tensor q = f.tensor(g, f.t(), f.d());
    Tensor k = g.turned(f.tensor(g, f.s(), f.d()));
    Tensor v = g.turned(f.tensor(g, f.s(), f.e()));
    Tensor y = f.tensor(g, f.t(), f.e());
    Tensor logs = g.memory(Type.FLOAT32, f.b(), f.h(), f.t(), 1);
    Tensor dy = f.tensor(g, f.t(), f.e());
    Tensor dq = f.tensor(g, f.t(), f.d());
    Tensor dk = f.tensor(g, f.s(), f.d());
    Tensor dv = f.tensor(g, f.s(), f.e());
    Tensor means = g.memory(Type.FLOAT32, f.b(), f.h(), f.t(), 1); // of dy y

    Tensor sums = g.reduction(false, g.pointwise(Mode.MULTIPLY, dy, y));
    g.pointwise(Mode.MULTIPLY, sums, g.value(1), means); // where dropout would scale

    Tensor scale = g.value(f.scale());
    Tensor scores = g.pointwise(Mode.MULTIPLY, g.product(q, k), scale);
    Tensor shifted = masked(f, g, g.pointwise(Mode.SUBTRACT, scores, logs));
    Tensor weights = g.pointwise(Mode.EXP, shifted, null);
    g.product(g.transposed(weights, f.type()), dy, dv);

    Tensor slopes = g.pointwise(Mode.SUBTRACT, g.product(dy, v), means);
    Tensor ofScores =
        g.pointwise(Mode.MULTIPLY, g.pointwise(Mode.MULTIPLY, slopes, weights), scale);
    g.product(g.transposed(ofScores, f.type()), q, dk);
    g.product(ofScores, g.transposed(k, Type.FLOAT32), dq);
    return g.build(
        f.name("attention_grad", f.b()), f.s() % KEYS == 0 ? FORWARD : BACKWARD_OF_ANY_LENGTH);
  }

  private static Tensor masked(Form f, Builder g, Tensor scores) {
    return f.causal() ? g.lowerTriangle(scores, 2, 3, g.value(Float.NEGATIVE_INFINITY)) : scores;
  }
}
