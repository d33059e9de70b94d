package dev.crema.data;

import dev.crema.memory.ElementType;
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
      put(row.inputs[i], dataset.inputs().get(i).type(), slots.get(i), at);
    }
    int targets = slots.size() - inputs;
    if (targets == 1 && RowSource.Row.isClass(dataset.targets().get(0))) {
      slots.get(inputs).putInt(at * Integer.BYTES, row.label);
    } else {
      for (int i = 0; i < targets; i++) {
        float[] values = row.targets.length == 0 ? row.target : row.targets[i];
        put(values, dataset.targets().get(i).type(), slots.get(inputs + i), at);
      }
    }
  }

  private void put(float[] values, ElementType type, ByteBuffer buffer, int at) {
    int first = at * values.length;
    if (type == ElementType.FLOAT32) {
      views.of(buffer).put(first, values, 0, values.length);
      return;
    }
    for (int i = 0; i < values.length; i++) {
      buffer.putInt((first + i) * Integer.BYTES, (int) values[i]);
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
