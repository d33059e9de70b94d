package dev.crema.device.cuda.kernel;

import java.util.Map;

/**
 * Dense layers of fp8: by Crema's own tiles, or, where a card has a faster product that only
 * cuBLASLt reaches, by that and a pass over its sums.
 */
final class Fp8Kernels {
  private static final String FAMILY = "fp8_linear";

  // Cards whose own products of fp8 are not mma.sync's: Hopper and Blackwell of data centres.
  private static final int FIRST = 90;
  private static final int BEHIND_LAST = 120;

  /** What cuBLASLt's products of fp8 want extents and addresses to be multiples of. */
  private static final int MULTIPLE = 16;

  /**
   * Inputs from which on that gains more than the pass costs. A number of the output that is read
   * and written once more takes 8 bytes: 2 ps of an H200's memory. In each of its k multiply-adds
   * 1.6 fs are saved, where mma.sync comes to the 620 TFLOP/s (of float16) that were measured of it
   * on Hopper, and cuBLASLt to 1200, of the 1600 that were. Not measured by us.
   */
  private static final int LEAST_INPUTS = 1280;

  private Fp8Kernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "quantize_fp8", Fp8Kernels::quantize,
        "pack_fp8", Fp8Kernels::pack,
        "fp8_linear", Fp8Kernels::linear);
  }

  /** floats: scale. */
  private static void quantize(Call c, Launches to) {
    long n = c.out(0).elements();
    to.launch(
        FAMILY,
        "quantize_fp8",
        Grid.ofFours(c, n),
        Arguments.of()
            .pointer(c.address(0))
            .pointer(c.out(0).address())
            .int64(n)
            .float32(c.real(0)));
  }

  /** in: packed (written), w, scales. */
  private static void pack(Call c, Launches to) {
    Operand w = c.in(1);
    to.launch(
        FAMILY,
        "pack_fp8",
        Grid.ofElements(c, c.in(0).elements()),
        Arguments.of()
            .pointer(w.address())
            .pointer(c.address(2))
            .pointer(c.address(0))
            .int64(w.last())
            .int64(w.rows()));
  }

  /** in: x, packed, bias?; ints: ReLU or not; floats: scale of x. */
  private static void linear(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    Tiling own = Tiling.of(c, y.rows(), y.last(), QuantizedProducts.isWhole(x.address(), x.last()));
    if (isForBlas(c, own) && to.productIfThere(product(c))) {
      to.launch(
          FAMILY,
          "fp8_scale",
          Grid.ofFours(c, y.elements()),
          Arguments.of()
              .pointer(y.address())
              .pointer(c.address(1))
              .pointer(c.address(2))
              .float32(c.real(0))
              .int64(x.rows())
              .int32(y.last())
              .int32(x.last())
              .int32(c.integer(0)));
      return;
    }
    own.launch(
        to,
        FAMILY,
        "fp8_linear",
        Arguments.of()
            .pointer(x.address())
            .pointer(c.address(1))
            .pointer(c.address(2))
            .pointer(y.address())
            .float32(c.real(0))
            .int64(x.rows())
            .int32(y.last())
            .int32(x.last())
            .int32(c.integer(0)));
  }

  private static boolean isForBlas(Call c, Tiling own) {
    int capability = c.processor().capability();
    Operand y = c.out(0);
    return capability >= FIRST
        && capability < BEHIND_LAST
        && own.isGreatest()
        && c.in(0).last() >= LEAST_INPUTS
        && y.last() % MULTIPLE == 0
        && y.address() % MULTIPLE == 0
        && c.address(1) % MULTIPLE == 0;
  }

  /** Of the bytes as they are: scales, bias and activation follow. Weights are rows of k. */
  private static Product product(Call c) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    return Product.of(
            y.rows(), y.last(), x.last(), x.address(), false, c.address(1), true, y.address())
        .of(Product.Types.FP8);
  }
}
