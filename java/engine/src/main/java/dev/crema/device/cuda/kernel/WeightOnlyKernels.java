package dev.crema.device.cuda.kernel;

import java.util.Map;

/** Dense layers of weights of few bits and activations of float32. */
final class WeightOnlyKernels {
  private static final String FAMILY = "weight_only_linear";
  private static final long FEW_ROWS = 16; // of x, beyond which weights become float32 in memory

  private WeightOnlyKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "weight_only_linear", WeightOnlyKernels::linear,
        "pack_weight_only", WeightOnlyKernels::pack);
  }

  /** in: x, packed, bias?; ints: activation, bits, rows of w that share a scale (0: all). */
  private static void linear(Call c, Launches to) {
    Operand y = c.out(0);
    long m = c.in(0).rows();
    long n = y.last();
    long k = c.in(0).last();
    long group = group(c.integer(2), k);
    if (m <= FEW_ROWS || k == 0) {
      to.launch(
          FAMILY,
          "weight_only_linear",
          Grid.ofElements(c, m * n),
          Arguments.of()
              .pointer(c.address(0))
              .pointer(c.address(1))
              .pointer(y.address())
              .int64(m)
              .int64(n)
              .int64(k)
              .int32(c.integer(1))
              .int64(group));
    } else {
      long w = to.scratch(4 * k * n);
      to.launch(
          FAMILY,
          "unpack_weight_only",
          Grid.ofElements(c, k * n),
          Arguments.of()
              .pointer(c.address(1))
              .pointer(w)
              .int64(n)
              .int64(k)
              .int32(c.integer(1))
              .int64(group));
      to.product(Product.of(m, n, k, c.address(0), false, w, false, y.address()));
    }
    BiasActivation.launch(to, y, c.address(2), (int) c.integer(0));
  }

  /** in: packed (written), w, scales; ints: bits, rows of w that share a scale (0: all). */
  private static void pack(Call c, Launches to) {
    Operand w = c.in(1);
    to.launch(
        FAMILY,
        "pack_weight_only",
        Grid.ofElements(c, w.last() * Math.max(1, w.rows())),
        Arguments.of()
            .pointer(w.address())
            .pointer(c.address(2))
            .pointer(c.address(0))
            .int64(w.last())
            .int64(w.rows())
            .int32(c.integer(0))
            .int64(group(c.integer(1), w.rows())));
  }

  private static long group(long rows, long k) {
    return rows > 0 ? rows : Math.max(1, k);
  }
}
