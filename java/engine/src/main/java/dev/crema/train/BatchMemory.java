package dev.crema.train;

import dev.crema.memory.Buffer;
import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * The off-heap memory that a prefetcher fills and a plan reads in place. To be closed after both
 * have ended.
 */
final class BatchMemory implements AutoCloseable {
  private final Map<ByteBuffer, Buffer> buffers = new IdentityHashMap<>();

  /** What a prefetcher calls for each of its buffers. */
  ByteBuffer allocate(int bytes) {
    Buffer buffer = Buffer.allocate(Math.max(1, bytes));
    ByteBuffer view = buffer.borrow(0, bytes);
    buffers.put(view, buffer);
    return view;
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
