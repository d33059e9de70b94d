package dev.crema.device.cuda.kernel;

/** The gradient of a bias: sums over all rows, in pieces of fixed size so that they repeat. */
final class ColumnSums {
  private ColumnSums() {}

  /**
   * Sums x [rows, n] into float32 y [n].
   *
   * @param y address
   */
  static void launch(Call c, Launches to, Operand x, long y) {
    Reduction sum = Reduction.of("sum", "sum", x.type());
    ReduceKernels.longColumns(c, to, sum, x.address(), y, 1, x.rows(), x.last(), 1);
  }
}
