package dev.crema.device.cuda.kernel;

/** The gradient of a bias: sums over all rows, in pieces of fixed size so that they repeat. */
final class ColumnSums {
  private static final long PIECE = 512; // rows
  private static final int COLUMNS = 32; // of a block of 8 rows of threads

  private ColumnSums() {}

  static void launch(Launches to, Operand x, long y) {
    long rows = x.rows();
    long columns = x.last();
    long pieces = (rows + PIECE - 1) / PIECE;
    if (pieces <= 1) {
      sum(to, x.address(), y, rows, columns, Math.max(1, rows));
      return;
    }
    long partial = to.scratch(4 * pieces * columns);
    sum(to, x.address(), partial, rows, columns, PIECE);
    sum(to, partial, y, pieces, columns, pieces);
  }

  private static void sum(Launches to, long x, long y, long rows, long columns, long piece) {
    long pieces = Math.max(1, (rows + piece - 1) / piece);
    long across = (columns + COLUMNS - 1) / COLUMNS;
    to.launch(
        "conv_layout",
        "column_sums_f32",
        pieces * across,
        256,
        0,
        Arguments.of().pointer(x).pointer(y).int64(rows).int64(columns).int64(piece));
  }
}
