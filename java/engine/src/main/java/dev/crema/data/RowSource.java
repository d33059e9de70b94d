package dev.crema.data;

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
    final float[] target;
    int label;

    /** What decides the part of a split that the example belongs to. */
    long hash;

    Row(List<Dataset.Slot> slots, Dataset.Slot targetSlot, boolean classes) {
      inputs = new float[slots.size()][];
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] = new float[slots.get(i).width()];
      }
      target = new float[targetSlot == null || classes ? 0 : targetSlot.width()];
    }
  }
}
