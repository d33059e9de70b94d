package dev.crema.data;

import java.nio.ByteBuffer;
import java.util.List;

/** Reads a {@link StreamDataset}: filters, shuffles within the window, writes batches. */
final class StreamReader implements Dataset.Reader {
  private final StreamDataset dataset;
  private final RowSource source;
  private final ShuffleWindow<RowSource.Row> window;
  private final FloatViews views = new FloatViews();
  private RowSource.Row spare;
  private long left;
  private boolean exhausted;
  private boolean closed;

  StreamReader(StreamDataset dataset, RowSource source, Order order) {
    this.dataset = dataset;
    this.source = source;
    this.spare = dataset.newRow();
    this.left = dataset.limit();
    this.window =
        order.shuffled()
            ? new ShuffleWindow<>(new RowSource.Row[dataset.window()], order.seed())
            : null;
  }

  @Override
  public int read(List<ByteBuffer> slots, int capacity) {
    if (closed) {
      throw new IllegalStateException("This reader is closed");
    }
    Buffers.check(dataset, slots, capacity);
    int n = 0;
    while (n < capacity) {
      RowSource.Row row = window == null ? (advance() ? spare : null) : shuffled();
      if (row == null) {
        break;
      }
      write(row, slots, n++);
    }
    return n;
  }

  /** The next row in shuffled order; it stays valid until the next call. */
  private RowSource.Row shuffled() {
    while (!window.isFull() && advance()) {
      window.add(spare);
      spare = dataset.newRow();
    }
    if (advance()) {
      spare = window.swap(spare);
      return spare;
    }
    return window.isEmpty() ? null : window.remove();
  }

  private boolean advance() {
    if (exhausted) {
      return false;
    }
    while (left > 0 && source.next(spare)) {
      if (dataset.contains(spare.hash)) {
        left--;
        return true;
      }
    }
    exhausted = true;
    return false;
  }

  private void write(RowSource.Row row, List<ByteBuffer> slots, int at) {
    int inputs = row.inputs.length;
    for (int i = 0; i < inputs; i++) {
      float[] values = row.inputs[i];
      views.of(slots.get(i)).put(at * values.length, values, 0, values.length);
    }
    if (slots.size() > inputs) {
      ByteBuffer buffer = slots.get(inputs);
      if (dataset.isClassification()) {
        buffer.putInt(at * Integer.BYTES, row.label);
      } else {
        views.of(buffer).put(at * row.target.length, row.target, 0, row.target.length);
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      source.close();
    }
  }
}
