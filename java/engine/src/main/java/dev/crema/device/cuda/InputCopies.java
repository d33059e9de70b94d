package dev.crema.device.cuda;

import dev.crema.memory.Buffer;
import java.util.ArrayList;
import java.util.List;

/** Memory of the host for inputs, each with its {@link InputCopy} on the card. Thread-safe. */
final class InputCopies {
  private final Context context;
  private final DeviceMemory memory;
  private final List<InputCopy> all = new ArrayList<>();
  private long stream; // 0 until something is sent

  InputCopies(Context context, DeviceMemory memory) {
    this.context = context;
    this.memory = memory;
  }

  /** Memory that can be sent ahead if the system can pin so much; the caller closes it. */
  Buffer allocate(long bytes, String name) {
    InputCopy[] copy = new InputCopy[1];
    Buffer buffer = PinnedMemory.allocateIfThere(context, bytes, name, () -> drop(copy[0]));
    if (buffer == null) {
      return Buffer.allocate(bytes, name);
    }
    copy[0] = new InputCopy(context, memory, buffer.address(), bytes);
    synchronized (this) {
      all.add(copy[0]);
    }
    return buffer;
  }

  /** The copy of that memory; null if it has none. Allocates nothing. */
  synchronized InputCopy of(long host) {
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).host() == host) {
        return all.get(i);
      }
    }
    return null;
  }

  /** Begins to copy the first bytes; of memory that was not allocated here it does nothing. */
  void send(Buffer buffer, long bytes) {
    InputCopy copy = of(buffer.address());
    if (copy != null && bytes > 0) {
      context.enter();
      copy.send(bytes, stream());
    }
  }

  private synchronized long stream() {
    if (stream == 0) {
      stream = Streams.create(context);
    }
    return stream;
  }

  private void drop(InputCopy copy) {
    synchronized (this) {
      all.remove(copy);
    }
    copy.close();
  }

  /** The context is current. */
  synchronized void close() {
    if (stream != 0) {
      Streams.destroy(context, stream);
    }
  }
}
