package dev.crema.device.cuda.kernel;

/**
 * How the outputs of a product of bytes are cut for the blocks of a launch. Where sums are whole
 * numbers it changes no bit; of fp8 it changes the order of additions.
 *
 * <p>The greatest cut is taken that makes at least half as many blocks as the card has
 * multiprocessors: doubling a tile's side halves what is read for each product, which is worth as
 * much as having all multiprocessors at work instead of half of them. What even small tiles leave
 * idle is cut into strips of 16 rows, the least that tensor cores multiply; the warps of a strip
 * share its sums, so that one row of a batch still has 8 · 132 warps reading weights of 1024 units.
 * These are counts of bytes and blocks: nothing was measured on a card.
 *
 * @param kind of kernel
 * @param threads of a block
 * @param blocks of the launch
 */
record Tiling(String kind, int threads, long blocks) {
  private static final String GREATEST = "tiles_128";
  private static final int WARP = 32;

  /**
   * @param rows of the output
   * @param units its columns
   * @param whole whether rows of the input can be copied 16 bytes at a time
   */
  static Tiling of(Call c, long rows, long units, boolean whole) {
    long enough = (c.processor().multiprocessors() + 1) / 2;
    if (whole && blocks(rows, 128, units, 128) >= enough) {
      return new Tiling(GREATEST, 8 * WARP, Grid.ofBlocks(c, blocks(rows, 128, units, 128)));
    }
    long tiles = blocks(rows, 64, units, 64);
    if (tiles >= enough) {
      return new Tiling(whole ? "tiles_64" : "tiles_any", 4 * WARP, Grid.ofBlocks(c, tiles));
    }
    boolean wide = blocks(rows, 16, units, 32) >= enough;
    long strips = blocks(rows, 16, units, wide ? 32 : 8);
    return new Tiling(wide ? "strips_32" : "strips_8", 8 * WARP, Grid.ofBlocks(c, strips));
  }

  /** Whether the output is cut into tiles of 128: as many as keep half of the card busy. */
  boolean isGreatest() {
    return kind.equals(GREATEST);
  }

  private static long blocks(long rows, long down, long units, long across) {
    return ((rows + down - 1) / down) * ((units + across - 1) / across);
  }

  void launch(Launches to, String family, String layer, Arguments arguments) {
    to.launch(family, layer + "_" + kind, blocks, threads, 0, arguments);
  }
}
