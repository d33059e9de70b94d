package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Convolution.Direction;
import dev.crema.device.cuda.kernel.OperationGraph.Builder;
import dev.crema.device.cuda.kernel.OperationGraph.Tensor;
import dev.crema.device.cuda.kernel.OperationGraph.Type;
import dev.crema.memory.ElementType;
import java.util.List;

/**
 * Convolutions of bytes by cuDNN's of signed bytes. A pass makes the images signed, less 128, and
 * gives them the frame of zero points that cuDNN would leave 0; cuDNN sums in int32; a pass adds
 * 128 times the sum of each output's weights and makes the sums the layer's output, by the
 * operations of Crema's own kernels in their order: the same bits, if the card is faster that way
 * ({@link Ways}). cuDNN is asked in two manners: for a convolution by descriptors, which stores
 * sums as float32, the one documented type that holds them (INT8_EXT_CONFIG), exactly below 2^24;
 * and for a graph, which stores them as they are.
 */
final class SignedConvolution {
  private static final String BY_DESCRIPTORS = "cudnn";
  private static final String BY_GRAPH = "cudnn_graph";

  private static final String FAMILY = "int8_conv";
  private static final int PIECE = 16; // bytes that are moved at once
  private static final int CHANNELS = 4; // what cuDNN wants channels to be multiples of
  private static final int UNITS = 8; // outputs that the last pass takes at once

  /** Taps that a sum of bytes less 128, -128 at least, times weights up to 127 may have. */
  private static final long MOST_TAPS = (1 << 24) / (128 * 127);

  private static final long LEAST = 91200; // the first cuDNN for CUDA 13; 8.6 had them

  private SignedConvolution() {}

  /** Whether the library can be asked: channels in fours, outputs in eights. */
  static boolean fits(Call c) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    return y.rows() > 0
        && x.last() > 0
        && x.last() % CHANNELS == 0
        && y.last() % UNITS == 0
        && x.address() % CHANNELS == 0
        && y.address() % PIECE == 0
        && c.address(1) % PIECE == 0;
  }

  private static long taps(Call c) {
    return c.integer(8) * c.integer(9) * c.in(0).last();
  }

  /**
   * The ways. Packed weights are rows of taps, one for each output: cuDNN's filters.
   *
   * @param target the struct Target
   */
  static List<Ways.Way> ways(Call c, byte[] target) {
    Ways.Way byGraph = new Ways.Way(BY_GRAPH, to -> byGraph(c, to, target));
    return taps(c) > MOST_TAPS
        ? List.of(byGraph)
        : List.of(new Ways.Way(BY_DESCRIPTORS, to -> byDescriptors(c, to, target)), byGraph);
  }

  private static boolean byDescriptors(Call c, Launches to, byte[] target) {
    Convolution convolution = signed(c, to);
    if (!to.convolutionIfThere(convolution)) {
      return false;
    }
    finish(c, to, FAMILY, "quantized_conv2d_of_sums", convolution.y(), target);
    return true;
  }

  private static boolean byGraph(Call c, Launches to, byte[] target) {
    Convolution convolution = signed(c, to);
    if (!to.graphIfThere(graph(convolution), convolution.x(), c.address(1), convolution.y())) {
      return false;
    }
    finish(c, to, "int8_linear", "quantized_linear_of_sums", convolution.y(), target);
    return true;
  }

  /** The images, made signed, and where the sums go. */
  private static Convolution signed(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    long[] filter = {c.integer(8), c.integer(9), x.last(), y.last()};
    Geometry g = Geometry.of(c, x, new Operand(c.address(1), ElementType.INT8, filter), y);
    long images = to.scratch(g.paddedBytes());
    // Numbers of 4 bytes become what they are in place.
    long sums = y.type() == ElementType.FLOAT32 ? y.address() : to.scratch(4 * y.elements());
    image(c, to, g, images);
    return g.padded(Direction.FORWARD, images, c.address(1), sums, ElementType.INT8);
  }

  private static OperationGraph graph(Convolution of) {
    Builder g = new Builder();
    Tensor x = g.channelsLast(Type.INT8, of.examples(), of.channels(), of.height(), of.width());
    Tensor filter =
        g.channelsLast(Type.INT8, of.outputs(), of.channels(), of.tapRows(), of.tapColumns());
    Tensor y = g.channelsLast(Type.INT32, of.examples(), of.outputs(), of.rows(), of.columns());
    g.windows(x, filter, y, of);
    return g.build("quantized_conv2d", LEAST);
  }

  private static void finish(
      Call c, Launches to, String family, String kernel, long sums, byte[] target) {
    Operand y = c.out(0);
    to.launch(
        family,
        kernel,
        Grid.of(c, y.elements(), UNITS * Grid.THREADS),
        Arguments.of()
            .pointer(sums)
            .pointer(c.address(1))
            .struct(target)
            .int64(y.rows())
            .int32(y.last())
            .int32(taps(c)));
  }

  private static void image(Call c, Launches to, Geometry g, long signed) {
    Operand x = c.in(0);
    int unit = QuantizedProducts.isWhole(x.address(), x.last()) ? PIECE : CHANNELS;
    to.launch(
        FAMILY,
        "int8_signed_image_" + unit,
        Grid.ofElements(c, g.paddedBytes() / unit),
        Arguments.of()
            .pointer(x.address())
            .pointer(signed)
            .int64(g.examples())
            .int32(g.height())
            .int32(g.width())
            .int32(g.paddedHeight())
            .int32(g.paddedWidth())
            .int32(g.channels() / unit)
            .int32(g.top())
            .int32(g.left())
            .int32(c.integer(10)));
  }
}
