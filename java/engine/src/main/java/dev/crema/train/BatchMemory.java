package dev.crema.train;

import dev.crema.data.Prefetcher;
import dev.crema.device.Device;
import dev.crema.memory.Buffer;
import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The off-heap memory that a prefetcher fills and a plan reads. What is filled is on its way to the
 * device while the steps before it run. To be closed after both have ended.
 */
final class BatchMemory implements AutoCloseable {
  private final Device device;
  private final int batchSize;
  private final Map<ByteBuffer, Buffer> buffers = new IdentityHashMap<>();

  /**
   * @param batchSize rows of a full batch
   */
  BatchMemory(Device device, int batchSize) {
    this.device = device;
    this.batchSize = batchSize;
  }

  /** What a prefetcher calls for each of its buffers. */
  ByteBuffer allocate(int bytes) {
    Buffer buffer = device.inputMemory(Math.max(1, bytes), "A batch ahead of its step");
    ByteBuffer view = buffer.borrow(0, bytes);
    buffers.put(view, buffer);
    return view;
  }

  /** What a prefetcher calls for each batch that is filled. */
  void send(Prefetcher.Batch batch) {
    List<ByteBuffer> views = batch.buffers();
    for (int i = 0; i < views.size(); i++) {
      long row = views.get(i).capacity() / batchSize;
      device.send(behind(views.get(i)), row * batch.rows());
    }
  }

  /** The buffer behind one that {@link #allocate} gave. */
  Buffer behind(ByteBuffer view) {
    return buffers.get(view);
  }

  @Override
  public void close() {
    buffers.values().forEach(Buffer::close);
  }
}
