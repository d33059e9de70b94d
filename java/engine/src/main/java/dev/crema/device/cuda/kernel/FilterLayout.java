package dev.crema.device.cuda.kernel;

/** Filters as Crema keeps them, [taps · channels, outputs], and as cuDNN reads them, transposed. */
final class FilterLayout {
  private static final int TILE = 32;

  private FilterLayout() {}

  static void toLibrary(Launches to, Operand kernel, long filter) {
    transpose(to, kernel, kernel.address(), filter, kernel.rows(), kernel.last());
  }

  static void fromLibrary(Launches to, long filter, Operand kernel) {
    transpose(to, kernel, filter, kernel.address(), kernel.last(), kernel.rows());
  }

  private static void transpose(
      Launches to, Operand kernel, long from, long into, long rows, long columns) {
    long tiles = ((rows + TILE - 1) / TILE) * ((columns + TILE - 1) / TILE);
    to.launch(
        "conv_layout",
        "transpose_filter_" + kernel.type().byteSize(),
        tiles,
        256,
        0,
        Arguments.of().pointer(from).pointer(into).int64(rows).int64(columns));
  }
}
