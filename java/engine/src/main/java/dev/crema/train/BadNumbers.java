package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.data.Prefetcher;
import dev.crema.memory.ElementType;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** Numbers in the data that no training can follow. */
final class BadNumbers {
  private BadNumbers() {}

  /**
   * The first number of a batch that is NaN or infinite, in words, such as {@code 'x' is NaN in
   * example 3 of this batch}; null if all are finite.
   */
  static String in(Prefetcher.Batch batch, Dataset data) {
    List<Dataset.Slot> slots = new ArrayList<>(data.inputs());
    slots.addAll(data.targets());
    for (int i = 0; i < slots.size(); i++) {
      Dataset.Slot slot = slots.get(i);
      if (slot.type() == ElementType.FLOAT32) {
        int each = Math.toIntExact(slot.shape().elements());
        FloatBuffer values =
            batch.buffers().get(i).duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
        for (int e = 0; e < batch.rows() * each; e++) {
          if (!Float.isFinite(values.get(e))) {
            return "'"
                + slot.name()
                + "' is "
                + values.get(e)
                + " in example "
                + (e / each + 1)
                + " of this batch";
          }
        }
      }
    }
    return null;
  }
}
