package dev.crema.plan;

import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Places blocks of memory in one arena so that blocks needed at the same time do not overlap: the
 * biggest first, each at the lowest free place ("greedy by size", Pisarchyk and Lee 2020).
 */
final class Arena {
  private static final long ALIGNMENT = 64;

  private Arena() {}

  /**
   * Sets the offset of each block.
   *
   * @param reuse whether blocks may take turns in the same memory
   * @return bytes of the arena
   */
  static long place(Collection<Liveness.Block> blocks, boolean reuse) {
    List<Liveness.Block> bySize = new ArrayList<>(blocks);
    bySize.sort(
        Comparator.comparingLong((Liveness.Block b) -> -b.bytes)
            .thenComparingInt(b -> b.from)
            .thenComparingInt(b -> b.to)
            .thenComparingInt(b -> b.number));
    List<Liveness.Block> placed = new ArrayList<>(); // in order of offset
    long bytes = 0;
    for (Liveness.Block block : bySize) {
      long size = padded(block.bytes);
      long at = 0;
      // One walk finds the lowest gap.
      for (Liveness.Block other : placed) {
        boolean together = !reuse || block.from <= other.to && other.from <= block.to;
        if (together) {
          if (at + size <= other.offset) {
            break;
          }
          at = Math.max(at, other.offset + padded(other.bytes));
        }
      }
      block.offset = at;
      bytes = Math.max(bytes, end(at, size));
      placed.add(after(placed, at), block);
    }
    return bytes;
  }

  /** The first position in a list ordered by offset that lies behind {@code offset}. */
  private static int after(List<Liveness.Block> placed, long offset) {
    int low = 0;
    int high = placed.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (placed.get(middle).offset <= offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static long end(long offset, long bytes) {
    if (bytes < 0 || offset + bytes < 0) {
      throw new CremaException(
          "A plan's tensors need more than 2^63 bytes. Lower the capacity of the batch.");
    }
    return offset + bytes;
  }

  private static long padded(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
