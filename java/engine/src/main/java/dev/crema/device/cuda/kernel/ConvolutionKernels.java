package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Convolution.Direction;
import java.util.Map;

/**
 * Convolutions and their gradients, by cuDNN. Filters are turned from [taps, taps, channels,
 * outputs], as Crema keeps them, to cuDNN's order on the way. cuDNN pads alike on both sides: where
 * a window's padding differs, the image is copied into one with its padding.
 *
 * <p>ints: strides (height, width), dilations, padding at the top and the left, groups, activation.
 */
final class ConvolutionKernels {
  private static final int RELU = 1; // as FusedActivation

  private ConvolutionKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "conv2d",
        ConvolutionKernels::forward,
        "conv2d_input_grad",
        (c, to) -> intoInput(c, to, c.in(0), c.in(1), c.out(0), 0),
        "conv_transpose2d",
        (c, to) -> intoInput(c, to, c.in(0), c.in(1), c.out(0), c.address(2)),
        "conv2d_weight_grad",
        ConvolutionKernels::intoFilter);
  }

  private static void forward(Call c, Launches to) {
    Geometry g = Geometry.of(c, c.in(0), c.in(1), c.out(0));
    if (g.isEmpty()) {
      return;
    }
    long filter = to.scratch(c.in(1).bytes());
    FilterLayout.toLibrary(to, c.in(1), filter);
    long x = c.in(0).address();
    if (!g.isSymmetric()) {
      x = to.scratch(g.paddedBytes());
      g.pad(to, c.in(0).address(), x);
    }
    Convolution convolution = g.convolution(Direction.FORWARD, x, filter, c.out(0).address());
    int activation = (int) c.integer(7);
    if (!c.has(2) || activation > RELU) { // cuDNN's epilogue has no others
      to.convolution(convolution);
      BiasActivation.launch(to, c.out(0), c.address(2), activation);
    } else if (!to.convolution(convolution, c.address(2), activation == RELU)) {
      BiasActivation.launch(to, c.out(0), c.address(2), activation);
    }
  }

  /** The gradient in the input of a convolution, which a transposed one is. */
  private static void intoInput(
      Call c, Launches to, Operand dy, Operand kernel, Operand dx, long bias) {
    Geometry g = Geometry.of(c, dx, kernel, dy);
    if (g.isEmpty()) {
      return;
    }
    long filter = to.scratch(kernel.bytes());
    FilterLayout.toLibrary(to, kernel, filter);
    if (g.isSymmetric()) {
      to.convolution(g.convolution(Direction.INPUT, dx.address(), filter, dy.address()));
    } else {
      long padded = to.scratch(g.paddedBytes());
      to.convolution(g.convolution(Direction.INPUT, padded, filter, dy.address()));
      g.crop(to, padded, dx.address());
    }
    BiasActivation.launch(to, dx, bias, (int) c.integer(7));
  }

  /** x, dy → dkernel and, where it is wanted, dbias. */
  private static void intoFilter(Call c, Launches to) {
    Operand x = c.in(0);
    Operand dy = c.in(1);
    Operand kernel = c.out(0);
    Geometry g = Geometry.of(c, x, kernel, dy);
    if (g.isEmpty()) {
      to.fill(kernel.address(), 0, kernel.bytes());
    } else {
      long from = x.address();
      if (!g.isSymmetric()) {
        from = to.scratch(g.paddedBytes());
        g.pad(to, x.address(), from);
      }
      long filter = to.scratch(kernel.bytes());
      to.convolution(g.convolution(Direction.FILTER, from, filter, dy.address()));
      FilterLayout.fromLibrary(to, filter, kernel);
    }
    if (c.outs() > 1) {
      ColumnSums.launch(c, to, dy, c.out(1).address());
    }
  }
}
