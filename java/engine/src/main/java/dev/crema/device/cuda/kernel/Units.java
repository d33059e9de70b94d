package dev.crema.device.cuda.kernel;

/** Moves of elements, as many bytes at a time as sizes and addresses allow: 16, 8, 4, 2 or 1. */
final class Units {
  private static final int MOST = 16;
  private static final int AXES = 8;

  private Units() {}

  /** The largest unit that divides all of these. */
  static long of(long... sizesAndAddresses) {
    long bits = MOST;
    for (long value : sizesAndAddresses) {
      bits |= value;
    }
    return Long.lowestOneBit(bits);
  }

  /** Rows of {@code run} bytes, {@code fromRow} and {@code toRow} bytes apart (NAME_SIZE). */
  static void rows(
      Call c,
      Launches to,
      String family,
      long from,
      long into,
      long rows,
      long run,
      long fromRow,
      long toRow) {
    long unit = of(from, into, run, fromRow, toRow);
    to.launch(
        family,
        family + "_" + unit,
        Grid.ofElements(c, rows * run / unit),
        Arguments.of()
            .pointer(from)
            .pointer(into)
            .int64(rows)
            .int64(run / unit)
            .int64(fromRow / unit)
            .int64(toRow / unit));
  }

  /**
   * A contiguous tensor from a strided one (NAME_SIZE).
   *
   * @param strides of {@code from}, in elements
   */
  static void strided(
      Call c,
      Launches to,
      String family,
      String kernel,
      long from,
      long into,
      long[] dims,
      long[] strides,
      int bytes) {
    int last = dims.length - 1;
    long[] extents = dims.clone();
    long[] steps = strides.clone();
    long unit = bytes;
    if (last >= 0 && strides[last] == 1) {
      long all = dims[last] * bytes;
      for (int a = 0; a < last; a++) {
        all |= strides[a] * bytes;
      }
      unit = of(from, into, all);
      extents[last] = dims[last] * bytes / unit;
      for (int a = 0; a < last; a++) {
        steps[a] = strides[a] * bytes / unit;
      }
    }
    long n = 1;
    for (long extent : extents) {
      n *= extent;
    }
    to.launch(
        family,
        kernel + "_" + unit,
        Grid.ofElements(c, n),
        Arguments.of().pointer(from).pointer(into).int64(n).struct(axes(extents, steps)));
  }

  /** The struct Axes. */
  static byte[] axes(long[] dims, long[] strides) {
    return new Struct().int64(dims.length).int64s(dims, AXES).int64s(strides, AXES).toBytes();
  }
}
