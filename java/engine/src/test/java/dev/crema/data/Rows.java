package dev.crema.data;

import dev.crema.memory.ElementType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Reads whole datasets for tests. */
final class Rows {
  private Rows() {}

  static List<Dataset.Slot> slots(Dataset data) {
    List<Dataset.Slot> slots = new ArrayList<>(data.inputs());
    slots.addAll(data.targets());
    return slots;
  }

  static List<ByteBuffer> buffers(Dataset data, int capacity) {
    return slots(data).stream().map(s -> Buffers.direct(s.rowBytes() * capacity)).toList();
  }

  /** Every example: the numbers of its inputs and then of its target. */
  static List<List<Float>> all(Dataset data, Order order, int capacity) {
    List<List<Float>> rows = new ArrayList<>();
    List<ByteBuffer> buffers = buffers(data, capacity);
    try (Dataset.Reader reader = data.reader(order)) {
      for (int n = reader.read(buffers, capacity); n > 0; n = reader.read(buffers, capacity)) {
        rows.addAll(rows(slots(data), buffers, n));
      }
    }
    return rows;
  }

  static List<List<Float>> all(Dataset data) {
    return all(data, Order.sequential(), 7);
  }

  static List<List<Float>> rows(List<Dataset.Slot> slots, List<ByteBuffer> buffers, int n) {
    List<List<Float>> rows = new ArrayList<>();
    for (int r = 0; r < n; r++) {
      List<Float> row = new ArrayList<>();
      for (int s = 0; s < slots.size(); s++) {
        int width = slots.get(s).width();
        for (int i = 0; i < width; i++) {
          int at = 4 * (r * width + i);
          row.add(
              slots.get(s).type() == ElementType.INT32
                  ? (float) buffers.get(s).getInt(at)
                  : buffers.get(s).getFloat(at));
        }
      }
      rows.add(row);
    }
    return rows;
  }

  /** The last number of every example: its label, where there is one. */
  static List<Float> last(Dataset data) {
    return all(data).stream().map(row -> row.get(row.size() - 1)).toList();
  }
}
