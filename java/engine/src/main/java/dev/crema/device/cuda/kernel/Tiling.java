package dev.crema.device.cuda.kernel;

import java.util.ArrayList;
import java.util.List;

/**
 * How the outputs of a product of bytes are cut for the blocks of a launch. Where sums are whole
 * numbers it changes no bit; of fp8 it changes the order of additions.
 *
 * <p>By the rule the greatest cut is taken that makes at least half as many blocks as the card has
 * multiprocessors: doubling a tile's side halves what is read for each product, which is worth as
 * much as having all multiprocessors at work instead of half of them. What even small tiles leave
 * idle is cut into strips of 16 rows, the least that tensor cores multiply; the warps of a strip
 * share its sums, so that one row of a batch still has 8 · 132 warps reading weights of 1024 units.
 * These are counts of bytes and blocks: nothing was measured on a card, which is why cards measure
 * where they may ({@link Ways}).
 *
 * @param kind of kernel
 * @param threads of a block
 * @param blocks of the launch
 */
record Tiling(String kind, int threads, long blocks) {
  private static final String GREATEST = "tiles_128";
  private static final int WARP = 32;

  /**
   * Blocks for each multiprocessor from which on strips are not tried: they would read rows and
   * weights over and over.
   */
  private static final int MOST_STRIPS = 64;

  /**
   * By the rule.
   *
   * @param rows of the output
   * @param units its columns
   * @param whole whether rows of the input can be copied 16 bytes at a time
   */
  static Tiling of(Call c, long rows, long units, boolean whole) {
    long enough = (c.processor().multiprocessors() + 1) / 2;
    if (whole && blocks(rows, 128, units, 128) >= enough) {
      return tiles(c, rows, units, 128, GREATEST);
    }
    if (blocks(rows, 64, units, 64) >= enough) {
      return smallTiles(c, rows, units, whole);
    }
    return strips(c, rows, units, blocks(rows, 16, units, 32) >= enough ? 32 : 8);
  }

  /** All that may be the fastest, the rule's first. */
  static List<Tiling> all(Call c, long rows, long units, boolean whole) {
    List<Tiling> all = new ArrayList<>();
    all.add(of(c, rows, units, whole));
    if (whole) {
      add(all, tiles(c, rows, units, 128, GREATEST));
    }
    add(all, smallTiles(c, rows, units, whole));
    for (int width : new int[] {32, 8}) {
      if (blocks(rows, 16, units, width) <= (long) MOST_STRIPS * c.processor().multiprocessors()) {
        add(all, strips(c, rows, units, width));
      }
    }
    return all;
  }

  private static void add(List<Tiling> all, Tiling one) {
    if (!one.kind().equals(all.get(0).kind())) {
      all.add(one);
    }
  }

  private static Tiling smallTiles(Call c, long rows, long units, boolean whole) {
    return tiles(c, rows, units, 64, whole ? "tiles_64" : "tiles_any");
  }

  private static Tiling tiles(Call c, long rows, long units, int side, String kind) {
    int warps = side / 16;
    return new Tiling(kind, warps * WARP, Grid.ofBlocks(c, blocks(rows, side, units, side)));
  }

  private static Tiling strips(Call c, long rows, long units, int width) {
    long blocks = Grid.ofBlocks(c, blocks(rows, 16, units, width));
    return new Tiling("strips_" + width, 8 * WARP, blocks);
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

  /** The same as one of several ways. */
  Ways.Way way(String family, String layer, Arguments arguments) {
    return new Ways.Way(
        kind,
        to -> {
          launch(to, family, layer, arguments);
          return true;
        });
  }
}
