package dev.crema.device.cuda.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * Dense layers and convolutions of bytes, by tensor cores: in several ways, which write the same
 * bits.
 */
final class QuantizedProducts {
  private static final String DENSE = "int8_linear";
  private static final String STATIC_SUMS = "quantized_linear_of_sums";
  private static final long PIECE = 16; // bytes that are copied at once

  private QuantizedProducts() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "quantized_linear", QuantizedProducts::linear,
        "dynamic_quantized_linear", QuantizedProducts::dynamicLinear,
        "quantized_conv2d", QuantizedProducts::convolution,
        "pack_quantized", QuantizedProducts::pack);
  }

  /** in: x, packed; ints: ReLU or not, zero point of y. */
  private static void linear(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    byte[] target = QuantizedKernels.target(y, c.integer(1), c.integer(0) != 0);
    LongFunction<Arguments> of = first -> staticArguments(c, first, target);
    List<Ways.Way> ways = own(c, DENSE, "quantized_linear", of.apply(x.address()));
    if (SignedProduct.fits(c, c.address(1))) {
      ways.add(SignedProduct.way(c, c.address(1), of, STATIC_SUMS));
    }
    to.oneOf(new Ways(c, form("quantized_linear", x, y), ways));
  }

  /**
   * @param first address of the inputs, or of the sums that a library made of them
   */
  private static Arguments staticArguments(Call c, long first, byte[] target) {
    return Arguments.of()
        .pointer(first)
        .pointer(c.address(1))
        .struct(target)
        .int64(c.out(0).rows())
        .int32(c.out(0).last())
        .int32(c.in(0).last());
  }

  /** in: x, scales and zero points of its rows, packed, bias?; ints: ReLU or not. */
  private static void dynamicLinear(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    LongFunction<Arguments> of =
        first ->
            Arguments.of()
                .pointer(first)
                .pointer(c.address(1))
                .pointer(c.address(2))
                .pointer(c.address(3))
                .pointer(c.address(4))
                .pointer(y.address())
                .int64(x.rows())
                .int32(y.last())
                .int32(x.last())
                .int32(c.integer(0));
    List<Ways.Way> ways = own(c, DENSE, "dynamic_quantized_linear", of.apply(x.address()));
    if (SignedProduct.fits(c, c.address(3))) {
      ways.add(SignedProduct.way(c, c.address(3), of, "dynamic_quantized_linear_of_sums"));
    }
    to.oneOf(new Ways(c, form("dynamic_quantized_linear", x, y), ways));
  }

  private static List<Ways.Way> own(Call c, String family, String layer, Arguments arguments) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    List<Ways.Way> ways = new ArrayList<>();
    for (Tiling t : Tiling.all(c, y.rows(), y.last(), isWhole(x.address(), x.last()))) {
      ways.add(t.way(family, layer, arguments));
    }
    return ways;
  }

  /** Rows in powers of two: batches of a server are of any size. */
  private static String form(String layer, Operand x, Operand y) {
    return String.format(
        Locale.ROOT,
        "%s [%d, %d] x [%d, %d] into %s",
        layer,
        Ways.rows(y.rows()),
        x.last(),
        x.last(),
        y.last(),
        y.type());
  }

  /** Whether rows of that length, one after the other from there, can be copied in pieces. */
  static boolean isWhole(long address, long length) {
    return address % PIECE == 0 && length % PIECE == 0;
  }

  /** ints: as a convolution's, rows and columns of a window, zero points of x and y. */
  private static void convolution(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    byte[] target = QuantizedKernels.target(y, c.integer(11), c.integer(7) != 0);
    Arguments own =
        Arguments.of()
            .pointer(x.address())
            .pointer(c.address(1))
            .struct(target)
            .struct(windows(c, x, y));
    List<Ways.Way> ways = own(c, "int8_conv", "quantized_conv2d", own);
    if (isProduct(c, x, y)) {
      if (SignedProduct.fits(c, c.address(1))) {
        LongFunction<Arguments> of = first -> staticArguments(c, first, target);
        ways.add(SignedProduct.way(c, c.address(1), of, STATIC_SUMS));
      }
    } else if (SignedConvolution.fits(c)) {
      ways.addAll(SignedConvolution.ways(c, target));
    }
    String form =
        String.format(
            Locale.ROOT,
            "quantized_conv2d of %d x %d, stride %d x %d, dilation %d x %d,"
                + " [%d, %d, %d, %d] to [%d, %d, %d, %d] of %s",
            c.integer(8),
            c.integer(9),
            c.integer(0),
            c.integer(1),
            c.integer(2),
            c.integer(3),
            Ways.rows(x.dim(0)),
            x.dim(1),
            x.dim(2),
            x.last(),
            Ways.rows(y.dim(0)),
            y.dim(1),
            y.dim(2),
            y.last(),
            y.type());
    to.oneOf(new Ways(c, form, ways));
  }

  /** Whether each output's window is one pixel, each pixel's once: rows times weights. */
  private static boolean isProduct(Call c, Operand x, Operand y) {
    return c.integer(8) == 1
        && c.integer(9) == 1
        && c.integer(0) == 1
        && c.integer(1) == 1
        && x.dim(1) == y.dim(1)
        && x.dim(2) == y.dim(2)
        && c.integer(4) == 0
        && c.integer(5) == 0;
  }

  /**
   * The struct Conv8.
   *
   * @throws ArithmeticException if a row of an image, with its padding, has 2 GB or more
   */
  private static byte[] windows(Call c, Operand x, Operand y) {
    long channels = x.last();
    long rowBytes = x.dim(-2) * channels;
    long stride = c.integer(1);
    long dilation = c.integer(3);
    long columns = c.integer(9);
    long most = Math.max(x.dim(-2), (y.dim(-2) - 1) * stride + (columns - 1) * dilation + 1);
    Math.toIntExact(Math.multiplyExact(most + c.integer(5), channels));
    boolean neighbours = dilation == 1; // the pixels of a row of a window
    long run = (channels * (neighbours ? columns : 1) + 3) / 4;
    long runs = neighbours ? 1 : columns;
    return new Struct()
        .int64(y.rows())
        .int64(x.dim(1) * rowBytes)
        .int64(x.dim(1))
        .int64(rowBytes)
        .int64(y.dim(1))
        .int64(y.dim(2))
        .int64(y.last())
        .int64(c.integer(0))
        .int64(stride * channels)
        .int64(c.integer(2))
        .int64(dilation * channels)
        .int64(c.integer(4))
        .int64(c.integer(5) * channels)
        .int64(run)
        .int64(runs)
        .int64(Math.toIntExact(c.integer(8) * runs * run))
        .int64(c.integer(10))
        .int64(isWhole(x.address(), channels) ? 1 : 0)
        .toBytes();
  }

  /** in: packed (written), w, scales, bias?; ints: zero point, rows of a run; floats: scales. */
  private static void pack(Call c, Launches to) {
    Operand w = c.in(1);
    to.launch(
        "int8_pack",
        "pack_quantized",
        Grid.ofElements(c, w.last()),
        Arguments.of()
            .pointer(w.address())
            .pointer(c.address(2))
            .pointer(c.address(3))
            .pointer(c.address(0))
            .int64(w.rows())
            .int64(w.last())
            .int64(c.integer(1))
            .int32(c.integer(0))
            .float32(c.real(0))
            .float32(c.real(1)));
  }
}
