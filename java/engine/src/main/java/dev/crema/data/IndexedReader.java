package dev.crema.data;

import dev.crema.CremaException;
import java.nio.ByteBuffer;
import java.util.List;

/** Reads the rows of an {@link IndexedDataset} in a given order. */
final class IndexedReader implements Dataset.Reader {
  private final IndexedDataset dataset;
  private final int[] order;
  private final List<Block.Cursor> cursors;
  private int next;
  private boolean closed;

  IndexedReader(IndexedDataset dataset, int[] order) {
    this.dataset = dataset;
    this.order = order;
    this.cursors = dataset.cursors();
  }

  @Override
  public int read(List<ByteBuffer> slots, int capacity) {
    if (closed) {
      throw new IllegalStateException("This reader is closed");
    }
    Buffers.check(dataset, slots, capacity);
    int n = 0;
    while (n < capacity && next < order.length) {
      if (copy(order[next++], slots, n)) {
        n++;
      }
    }
    return n;
  }

  private boolean copy(int row, List<ByteBuffer> slots, int at) {
    try {
      for (int i = 0; i < slots.size(); i++) {
        cursors.get(i).copy(row, slots.get(i), at);
      }
      return true;
    } catch (CremaException e) {
      dataset.bad().report(e);
      return false;
    }
  }

  @Override
  public void close() {
    closed = true;
  }
}
