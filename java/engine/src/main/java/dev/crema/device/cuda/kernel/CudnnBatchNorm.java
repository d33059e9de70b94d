package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.OperationGraph.Builder;
import dev.crema.device.cuda.kernel.OperationGraph.Norm;
import dev.crema.device.cuda.kernel.OperationGraph.NormGradient;
import dev.crema.device.cuda.kernel.OperationGraph.Over;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;

/**
 * Batch normalisation with scale and shift as in training, and its gradient, by cuDNN's operations,
 * channels last. Statistics are the same as ours: the mean and 1 / deviation of each channel. The
 * running ones are moved by a kernel of ours: what is unbiased there, and that a failed run changes
 * nothing, are then no matter of cuDNN's.
 */
final class CudnnBatchNorm {
  private CudnnBatchNorm() {}

  /** Whether a layer has scale and shift. */
  static boolean fits(Call c) {
    return c.has(1) && c.has(2);
  }

  /** All that its time depends on. */
  static String form(String what, Call c) {
    Extents x = Extents.of(c.in(0));
    long examples = Ways.rows(x.examples());
    String of = examples + ", " + x.height() + ", " + x.width() + ", " + x.channels();
    return what + " " + c.in(0).type() + " [" + of + "]";
  }

  /**
   * in: x, gamma, beta, running mean and variance (written). out: y, mean, 1 / deviation. floats:
   * epsilon, momentum.
   */
  static boolean forward(Call c, Launches to) {
    Operand x = c.in(0);
    float epsilon = (float) c.real(0);
    boolean there = CudnnNorm.forward(c, to, forward(Type.of(x.type()), Extents.of(x), epsilon));
    if (there) {
      to.launch(
          NormKernels.BATCH,
          "batch_norm_run",
          Grid.ofElements(c, x.last()),
          Arguments.of()
              .pointer(c.out(1).address())
              .pointer(c.out(2).address())
              .pointer(c.address(3))
              .pointer(c.address(4))
              .pointer(c.errors())
              .int64(x.rows())
              .int64(x.last())
              .float32(c.real(0))
              .float32(c.real(1)));
    }
    return there;
  }

  /** in: x, gamma, mean, 1 / deviation, dy. out: dx, dgamma, dbeta. */
  static boolean backward(Call c, Launches to) {
    Operand x = c.in(0);
    return CudnnNorm.backward(c, to, backward(Type.of(x.type()), Extents.of(x)));
  }

  /** Of x as cuDNN sees it: images keep their axes. */
  private record Extents(long examples, long height, long width, long channels) {
    static Extents of(Operand x) {
      return switch (x.rank()) {
        case 3 -> new Extents(x.dim(0), x.dim(1), 1, x.last());
        case 4 -> new Extents(x.dim(0), x.dim(1), x.dim(2), x.last());
        default -> new Extents(x.rows(), 1, 1, x.last());
      };
    }

    Tensor all(Builder g, Type type) {
      return g.channelsLast(type, examples, channels, height, width);
    }

    Tensor ofChannels(Builder g) {
      return g.channelsLast(Type.FLOAT32, 1, channels, 1, 1);
    }
  }

  private static OperationGraph forward(Type type, Extents x, float epsilon) {
    Builder g = new Builder();
    Tensor in = x.all(g, type);
    Tensor gamma = x.ofChannels(g);
    Tensor beta = x.ofChannels(g);
    Tensor y = x.all(g, type);
    Tensor mean = x.ofChannels(g);
    Tensor inverse = x.ofChannels(g);
    g.then(new Norm(Over.CHANNEL, in, gamma, beta, g.value(epsilon), y, mean, inverse));
    return g.build("batch_norm " + x, CudnnWay.LEAST);
  }

  private static OperationGraph backward(Type type, Extents x) {
    Builder g = new Builder();
    Tensor in = x.all(g, type);
    Tensor gamma = x.ofChannels(g);
    Tensor mean = x.ofChannels(g);
    Tensor inverse = x.ofChannels(g);
    Tensor dy = x.all(g, type);
    Tensor dx = x.all(g, type);
    Tensor dgamma = x.ofChannels(g);
    Tensor dbeta = x.ofChannels(g);
    g.then(new NormGradient(Over.CHANNEL, in, gamma, mean, inverse, dy, dx, dgamma, dbeta));
    return g.build("batch_norm_grad " + x, CudnnWay.LEAST);
  }
}
