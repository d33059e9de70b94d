package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.function.LongFunction;

/**
 * Layers of bytes by cuBLASLt's products of signed bytes (IMMA): a pass makes the inputs signed,
 * less 128; the library sums in int32; a pass adds 128 times the sum of each column's weights and
 * makes the sums the layer's output, by the operations of Crema's own kernels in their order. Two
 * passes more than those have, against the rate that only the library reaches on Hopper and
 * Blackwell (wgmma, tcgen05): a card measures which is faster ({@link Ways}).
 */
final class SignedProduct {
  /** What the way is called. */
  static final String KIND = "imma";

  private static final String FAMILY = "int8_linear";

  /**
   * What extents and addresses are multiples of: cuBLASLt wants 4, and has its fast kernels for 16.
   */
  private static final int MULTIPLE = 16;

  private SignedProduct() {}

  /** Whether the library can be asked for x [rows, k] times packed [k, units]. */
  static boolean fits(Call c, long packed) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    return y.rows() > 0
        && x.last() > 0
        && x.last() % MULTIPLE == 0
        && y.last() % MULTIPLE == 0
        && y.address() % MULTIPLE == 0
        && packed % MULTIPLE == 0;
  }

  /**
   * The way.
   *
   * @param packed address of the weights: rows of k
   * @param after arguments of the last pass, of the address of the sums
   * @param last its kernel
   */
  static Ways.Way way(Call c, long packed, LongFunction<Arguments> after, String last) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    return new Ways.Way(
        KIND,
        to -> {
          long signed = to.scratch(x.elements());
          // Numbers of 4 bytes become what they are in place.
          long sums = y.type() == ElementType.FLOAT32 ? y.address() : to.scratch(4 * y.elements());
          to.launch(
              FAMILY,
              "int8_signed",
              Grid.of(c, x.elements(), MULTIPLE * Grid.THREADS),
              Arguments.of().pointer(x.address()).pointer(signed).int64(x.elements()));
          Product product =
              Product.of(y.rows(), y.last(), x.last(), signed, false, packed, true, sums)
                  .of(Product.Types.BYTES);
          if (!to.productIfThere(product)) {
            return false;
          }
          to.launch(FAMILY, last, Grid.of(c, y.elements(), 8 * Grid.THREADS), after.apply(sums));
          return true;
        });
  }
}
