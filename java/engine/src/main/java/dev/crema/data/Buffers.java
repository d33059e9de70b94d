package dev.crema.data;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Checks of the buffers that readers fill, and of the heap that a file would need. */
final class Buffers {
  private Buffers() {}

  static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** Refuses buffers that can't take {@code capacity} rows of the dataset's slots. */
  static void check(Dataset dataset, List<ByteBuffer> buffers, int capacity) {
    List<Dataset.Slot> inputs = dataset.inputs();
    List<Dataset.Slot> targets = dataset.targets();
    int most = inputs.size() + targets.size();
    int n = buffers.size();
    if (n != inputs.size() && n != most) {
      throw new IllegalArgumentException(
          "A reader of "
              + inputs.size()
              + " inputs takes "
              + inputs.size()
              + " buffers, or "
              + most
              + (targets.size() > 1 ? " with the targets'; got " : " with the target's; got ")
              + n);
    }
    if (capacity < 1) {
      throw new IllegalArgumentException("A batch has at least 1 row, got " + capacity);
    }
    for (int i = 0; i < n; i++) {
      Dataset.Slot slot = i < inputs.size() ? inputs.get(i) : targets.get(i - inputs.size());
      check(slot, buffers.get(i), capacity);
    }
  }

  private static void check(Dataset.Slot slot, ByteBuffer buffer, int capacity) {
    if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder() || buffer.isReadOnly()) {
      throw new IllegalArgumentException(
          "The buffer of " + slot.name() + " must be direct, writable and in native byte order");
    }
    if (buffer.capacity() < (long) slot.rowBytes() * capacity) {
      throw new IllegalArgumentException(
          "The buffer of "
              + slot.name()
              + " has "
              + buffer.capacity()
              + " bytes; "
              + capacity
              + " rows of "
              + slot.shape()
              + " need "
              + (long) slot.rowBytes() * capacity);
    }
  }

  /**
   * Refuses what can't fit the heap, before it is allocated.
   *
   * @param what names the file and its part
   */
  static void requireHeap(long bytes, String what) {
    Runtime runtime = Runtime.getRuntime();
    long left = runtime.maxMemory() - (runtime.totalMemory() - runtime.freeMemory());
    if (bytes > Integer.MAX_VALUE - 8L) {
      throw new CremaException(
          what
              + " needs "
              + bytes
              + " bytes in one piece; at most 2^31-9 are possible. Divide it.");
    }
    if (bytes > left) {
      throw new CremaException(
          what
              + " needs "
              + (bytes >> 20)
              + " MB of heap, of which "
              + (left >> 20)
              + " MB are left. Give the JVM more with -Xmx, or divide the file.");
    }
  }
}
