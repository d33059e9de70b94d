package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.Map;

/** Softmax, its logarithm and the cross-entropy of logits, over the last axis. */
final class SoftmaxKernels {
  private static final int ONE_BLOCK = 1024; // threads

  private SoftmaxKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of(
        "softmax", (c, to) -> rows(c, to, "softmax"),
        "log_softmax", (c, to) -> rows(c, to, "log_softmax"),
        "softmax_grad", (c, to) -> gradient(c, to, "softmax"),
        "log_softmax_grad", (c, to) -> gradient(c, to, "log_softmax"),
        "softmax_cross_entropy", new CrossEntropy());
  }

  private static void rows(Call c, Launches to, String family) {
    Rows rows = Rows.of(c);
    Arguments arguments = Arguments.of().pointer(c.address(0)).pointer(c.out(0).address());
    rows.launchCached(to, family, family, arguments.int64(rows.count()));
  }

  private static void gradient(Call c, Launches to, String family) {
    Rows rows = Rows.of(c);
    Arguments arguments =
        Arguments.of().pointer(c.address(0)).pointer(c.address(1)).pointer(c.out(0).address());
    rows.launch(to, family, family + "_grad", arguments.int64(rows.count()));
  }

  /**
   * in: logits [n, k], of any type; labels int32 [n] or probabilities float32 [n, k]; class weights
   * [k] or none. floats: label smoothing. out: loss, dlogits [n, k], loss of each row [n].
   */
  private static final class CrossEntropy implements Kernel {
    @Override
    public void launch(Call c, Launches to) {
      String family = "softmax";
      long n = c.in(0).rows();
      long k = c.in(0).last();
      boolean labels = c.in(1).type() == ElementType.INT32;
      long weights = c.address(2);
      long total = labels ? to.scratch(8) : 0;
      if (labels) {
        to.launch(
            family,
            "cross_entropy_weight",
            1,
            ONE_BLOCK,
            0,
            Arguments.of()
                .pointer(c.address(1))
                .pointer(weights)
                .int64(n)
                .int64(k)
                .pointer(total)
                .pointer(c.errors())
                .int32(c.slot()));
      }
      to.launch(
          family,
          Stored.name("cross_entropy_rows", c.in(0).type()),
          Grid.ofBlocks(c, n),
          Grid.THREADS,
          0,
          Arguments.of()
              .pointer(c.address(0))
              .pointer(labels ? c.address(1) : 0)
              .pointer(labels ? 0 : c.address(1))
              .pointer(weights)
              .pointer(total)
              .pointer(c.out(1).address())
              .pointer(c.out(2).address())
              .int64(n)
              .int64(k)
              .float32(c.real(0)));
      to.launch(
          family,
          "cross_entropy_mean",
          1,
          ONE_BLOCK,
          0,
          Arguments.of()
              .pointer(c.out(2).address())
              .pointer(total)
              .pointer(c.out(0).address())
              .int64(n));
    }

    @Override
    public String message(Call c, long position, int value) {
      return "label "
          + value
          + " of example "
          + position
          + " is outside [0, "
          + c.in(0).last()
          + ")";
    }
  }
}
