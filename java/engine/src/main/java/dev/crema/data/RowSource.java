package dev.crema.data;

import dev.crema.memory.ElementType;
import java.util.List;

/** Examples that come one after the other, once. Used by one thread. */
interface RowSource extends AutoCloseable {
  /** Overwrites {@code row} with the next example; false at the end. */
  boolean next(Row row);

  @Override
  void close();

  /** Room for one example; used again and again. */
  final class Row {
    final float[][] inputs;

    /** The numbers of the only target; none where that is a class, or where there are several. */
    final float[] target;

    /** The class, where the only target is one. */
    int label;

    /** The numbers of each of several targets, classes by their number; else none. */
    final float[][] targets;

    /** What decides the part of a split that the example belongs to. */
    long hash;

    Row(List<Dataset.Slot> inputSlots, List<Dataset.Slot> targetSlots) {
      boolean one = targetSlots.size() == 1;
      inputs = rooms(inputSlots);
      target = new float[one && !isClass(targetSlots.get(0)) ? targetSlots.get(0).width() : 0];
      targets = one ? new float[0][] : rooms(targetSlots);
    }

    private static float[][] rooms(List<Dataset.Slot> slots) {
      float[][] rooms = new float[slots.size()][];
      for (int i = 0; i < rooms.length; i++) {
        rooms[i] = new float[slots.get(i).width()];
      }
      return rooms;
    }

    /** Whether a target is one class number, which stands in {@link #label}. */
    static boolean isClass(Dataset.Slot target) {
      return target.type() == ElementType.INT32 && target.width() == 1;
    }

    /** Takes over what another row of the same targets has to predict, and its hash. */
    void copyTargets(Row from) {
      System.arraycopy(from.target, 0, target, 0, target.length);
      for (int i = 0; i < targets.length; i++) {
        System.arraycopy(from.targets[i], 0, targets[i], 0, targets[i].length);
      }
      label = from.label;
      hash = from.hash;
    }
  }
}
