package dev.crema.device.cuda.kernel;

import java.util.Map;

/** Dense layers of fp8. */
final class Fp8Kernels {
  private static final String FAMILY = "fp8_linear";

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
    Tiling.of(c, y.rows(), y.last(), QuantizedProducts.isWhole(x.address(), x.last()))
        .launch(
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
}
