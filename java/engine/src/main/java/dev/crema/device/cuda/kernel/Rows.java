package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * Rows of an input's last axis, each the work of a warp that keeps it in registers or, where it is
 * longer, of a block. Kernels come in pairs NAME_warp and NAME_block for each type (rows.cuh).
 */
record Rows(Call call, long count, long length) {
  private static final int MOST_OF_WARP = 1024; // numbers
  private static final int MOST_CACHED = 48 << 10; // bytes of shared memory that are there unasked

  static Rows of(Call c) {
    return new Rows(c, c.in(0).rows(), c.in(0).last());
  }

  private ElementType type() {
    return call.in(0).type();
  }

  private boolean isShort() {
    return length <= MOST_OF_WARP;
  }

  /** Of kernels that end their parameters with the length of a row. */
  void launch(Launches to, String family, String kernel, Arguments arguments) {
    if (length == 0) {
      return;
    }
    if (isShort()) {
      to.launch(
          family,
          Stored.name(kernel + "_warp", type()),
          Grid.ofWarps(call, count),
          arguments.int32(length));
      return;
    }
    to.launch(
        family,
        Stored.name(kernel + "_block", type()),
        Grid.ofBlocks(call, count),
        arguments.int64(length));
  }

  /** Of kernels whose blocks may keep a row in shared memory, as their last parameter says. */
  void launchCached(
      Launches to, String family, String kernel, Arguments arguments, double... more) {
    if (length == 0) {
      return;
    }
    if (isShort()) {
      arguments.int32(length);
    } else {
      arguments.int64(length);
    }
    for (double f : more) {
      arguments.float32(f);
    }
    if (isShort()) {
      to.launch(
          family, Stored.name(kernel + "_warp", type()), Grid.ofWarps(call, count), arguments);
      return;
    }
    long bytes = (length + 7) / 8 * 32; // floats, in packs of at most eight
    boolean cached = bytes <= MOST_CACHED;
    to.launch(
        family,
        Stored.name(kernel + "_block", type()),
        Grid.ofBlocks(call, count),
        Grid.THREADS,
        cached ? (int) bytes : 16,
        arguments.int32(cached ? 1 : 0));
  }
}
