package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.OperationGraph.Builder;
import dev.crema.device.cuda.kernel.OperationGraph.Norm;
import dev.crema.device.cuda.kernel.OperationGraph.NormGradient;
import dev.crema.device.cuda.kernel.OperationGraph.Over;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;

/**
 * Layer normalisation with scale and shift, and its gradient, by cuDNN's operations. A row is a
 * channel's extent there: x is [rows, n, 1, 1]. Statistics are the same as ours: the mean and 1 /
 * deviation of each row.
 */
final class CudnnLayerNorm {
  private CudnnLayerNorm() {}

  /** Whether a layer has scale and shift, and rows. */
  static boolean fits(Call c) {
    return c.has(1) && c.has(2) && c.in(0).elements() > 0;
  }

  /** All that its time depends on. */
  static String form(String what, Call c) {
    Operand x = c.in(0);
    return what + " " + x.type() + " [" + Ways.rows(x.rows()) + ", " + x.last() + "]";
  }

  /** in: x, gamma, beta. out: y, mean, 1 / deviation. */
  static boolean forward(Call c, Launches to) {
    Operand x = c.in(0);
    float epsilon = (float) c.real(0);
    return CudnnNorm.forward(c, to, forward(Type.of(x.type()), x.rows(), x.last(), epsilon));
  }

  /** in: x, gamma, mean, 1 / deviation, dy. out: dx, dgamma, dbeta. */
  static boolean backward(Call c, Launches to) {
    Operand x = c.in(0);
    return CudnnNorm.backward(c, to, backward(Type.of(x.type()), x.rows(), x.last()));
  }

  private static Tensor rows(Builder g, Type type, long rows, long n) {
    return g.memory(type, new long[] {rows, n, 1, 1}, new long[] {n, 1, n, n});
  }

  private static OperationGraph forward(Type type, long rows, long n, float epsilon) {
    Builder g = new Builder();
    Tensor x = rows(g, type, rows, n);
    Tensor gamma = rows(g, Type.FLOAT32, 1, n);
    Tensor beta = rows(g, Type.FLOAT32, 1, n);
    Tensor y = rows(g, type, rows, n);
    Tensor mean = rows(g, Type.FLOAT32, rows, 1);
    Tensor inverse = rows(g, Type.FLOAT32, rows, 1);
    g.then(new Norm(Over.EXAMPLE, x, gamma, beta, g.value(epsilon), y, mean, inverse));
    return g.build("layer_norm [" + rows + ", " + n + "]", CudnnWay.LEAST);
  }

  private static OperationGraph backward(Type type, long rows, long n) {
    Builder g = new Builder();
    Tensor x = rows(g, type, rows, n);
    Tensor gamma = rows(g, Type.FLOAT32, 1, n);
    Tensor mean = rows(g, Type.FLOAT32, rows, 1);
    Tensor inverse = rows(g, Type.FLOAT32, rows, 1);
    Tensor dy = rows(g, type, rows, n);
    Tensor dx = rows(g, type, rows, n);
    Tensor dgamma = rows(g, Type.FLOAT32, 1, n);
    Tensor dbeta = rows(g, Type.FLOAT32, 1, n);
    g.then(new NormGradient(Over.EXAMPLE, x, gamma, mean, inverse, dy, dx, dgamma, dbeta));
    return g.build("layer_norm_grad [" + rows + ", " + n + "]", CudnnWay.LEAST);
  }
}
