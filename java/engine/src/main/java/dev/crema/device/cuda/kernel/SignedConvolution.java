package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Convolution.Direction;
import dev.crema.memory.ElementType;

/**
 * Convolutions of bytes by cuDNN's of signed bytes. A pass makes the images signed, less 128, and
 * gives them the frame of zero points that cuDNN would leave 0; cuDNN sums in int32 and stores
 * float32, the one documented type that holds such sums (INT8_EXT_CONFIG), exactly where they stay
 * below 2^24; a pass adds 128 times the sum of each output's weights and makes the sums the layer's
 * output, by the operations of Crema's own kernels in their order: the same bits, if the card is
 * faster that way ({@link Ways}).
 */
final class SignedConvolution {
  /** What the way is called. */
  static final String KIND = "cudnn";

  private static final String FAMILY = "int8_conv";
  private static final int PIECE = 16; // bytes that are moved at once
  private static final int CHANNELS = 4; // what cuDNN wants channels to be multiples of
  private static final int UNITS = 8; // outputs that the last pass takes at once

  /** Taps that a sum of bytes less 128, -128 at least, times weights up to 127 may have. */
  private static final long MOST_TAPS = (1 << 24) / (128 * 127);

  private SignedConvolution() {}

  /** Whether the library can be asked: channels in fours, and sums that float32 holds. */
  static boolean fits(Call c) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    return y.rows() > 0
        && x.last() > 0
        && x.last() % CHANNELS == 0
        && y.last() % UNITS == 0
        && taps(c) <= MOST_TAPS
        && x.address() % CHANNELS == 0
        && y.address() % PIECE == 0
        && c.address(1) % PIECE == 0;
  }

  private static long taps(Call c) {
    return c.integer(8) * c.integer(9) * c.in(0).last();
  }

  /**
   * The way. Packed weights are rows of taps, one for each output: cuDNN's filters.
   *
   * @param target the struct Target
   */
  static Ways.Way way(Call c, byte[] target) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    long[] filter = {c.integer(8), c.integer(9), x.last(), y.last()};
    Geometry g = Geometry.of(c, x, new Operand(c.address(1), ElementType.INT8, filter), y);
    return new Ways.Way(
        KIND,
        to -> {
          long signed = to.scratch(g.paddedBytes());
          // Numbers of 4 bytes become what they are in place.
          long sums = y.type() == ElementType.FLOAT32 ? y.address() : to.scratch(4 * y.elements());
          image(c, to, g, signed);
          if (!to.convolutionIfThere(
              g.padded(Direction.FORWARD, signed, c.address(1), sums, ElementType.INT8))) {
            return false;
          }
          to.launch(
              FAMILY,
              "quantized_conv2d_of_sums",
              Grid.of(c, y.elements(), UNITS * Grid.THREADS),
              Arguments.of()
                  .pointer(sums)
                  .pointer(c.address(1))
                  .struct(target)
                  .int64(y.rows())
                  .int32(y.last())
                  .int32(taps(c)));
          return true;
        });
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
