package dev.crema.device.cuda.kernel;

/**
 * How many blocks a launch has. Kernels walk their work in steps of the whole grid, so that any
 * number works and changes no bits.
 */
final class Grid {
  /** Of a block. */
  static final int THREADS = 256;

  private static final int WARPS = THREADS / 32;
  private static final int WAVES = 32; // blocks of a multiprocessor, one after the other

  private Grid() {}

  /** An element a thread. */
  static long ofElements(Call c, long elements) {
    return of(c, elements, THREADS);
  }

  /** Four elements a thread. */
  static long ofFours(Call c, long elements) {
    return of(c, elements, 4 * THREADS);
  }

  /** A row a warp. */
  static long ofWarps(Call c, long rows) {
    return of(c, rows, WARPS);
  }

  /** A piece of work a block. */
  static long ofBlocks(Call c, long pieces) {
    return of(c, pieces, 1);
  }

  static long of(Call c, long work, long ofBlock) {
    return Math.min((work + ofBlock - 1) / ofBlock, (long) WAVES * c.processor().multiprocessors());
  }
}
