package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Product.Epilogue;
import java.util.Map;

/**
 * Layers whose kernels were packed for the CPU. The card multiplies the weights as they are: a
 * dense product of sparse weights gives the same numbers, and nothing needs packing.
 */
final class SparseKernels {
  private SparseKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "sparse_linear", SparseKernels::linear,
        "pack_filter", (c, to) -> {},
        "pack_sparse", (c, to) -> {},
        "pack_weights", (c, to) -> {});
  }

  /** in: x [..., k], packed, w [..., n], bias?; ints: activation. */
  private static void linear(Call c, Launches to) {
    Operand x = c.in(0);
    Operand y = c.out(0);
    if (x.last() == 0) {
      to.fill(y.address(), 0, y.bytes());
    } else {
      to.product(
          Product.of(
                  x.rows(),
                  y.last(),
                  x.last(),
                  x.address(),
                  false,
                  c.address(2),
                  false,
                  y.address())
              .then(0, Epilogue.NONE));
    }
    BiasActivation.launch(to, y, c.address(3), (int) c.integer(0));
  }
}
