package dev.crema.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Places blocks of memory in one arena so that blocks needed at the same time do not overlap: the
 * biggest first, each at the lowest free place ("greedy by size", Pisarchyk and Lee 2020).
 */
final class Arena {
  private static final long ALIGNMENT = 64;

  private final Map<Liveness.Block, Long> offsets = new IdentityHashMap<>();
  private long bytes;

  private Arena() {}

  static Arena of(Set<Liveness.Block> blocks) {
    Arena arena = new Arena();
    List<Liveness.Block> bySize = new ArrayList<>(blocks);
    bySize.sort(
        Comparator.comparingLong((Liveness.Block b) -> -b.bytes)
            .thenComparingInt(b -> b.from)
            .thenComparingInt(b -> b.to));
    List<Liveness.Block> placed = new ArrayList<>();
    for (Liveness.Block block : bySize) {
      long at = 0;
      // `placed` is in order of offset, so one walk finds the lowest gap.
      for (Liveness.Block other : placed) {
        long start = arena.offsets.get(other);
        boolean together = block.from <= other.to && other.from <= block.to;
        if (together) {
          if (at + padded(block.bytes) <= start) {
            break;
          }
          at = Math.max(at, start + padded(other.bytes));
        }
      }
      arena.offsets.put(block, at);
      arena.bytes = Math.max(arena.bytes, at + padded(block.bytes));
      int index = 0;
      while (index < placed.size() && arena.offsets.get(placed.get(index)) <= at) {
        index++;
      }
      placed.add(index, block);
    }
    return arena;
  }

  long offset(Liveness.Block block) {
    return offsets.get(block);
  }

  long bytes() {
    return bytes;
  }

  private static long padded(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
