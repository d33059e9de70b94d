package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.Arguments;
import dev.crema.memory.Buffer;
import java.nio.ByteBuffer;

/** A kernel's parameters as the driver reads them: an array of addresses, then the values. */
final class HostArguments implements AutoCloseable {
  private final Buffer memory;

  HostArguments(Arguments arguments) {
    byte[] values = arguments.bytes();
    int count = arguments.count();
    int table = 8 * count;
    memory = Buffer.allocate(Math.max(8, table + values.length), "A kernel's parameters");
    ByteBuffer view = memory.borrow(0, table + values.length);
    for (int i = 0; i < count; i++) {
      view.putLong(8 * i, memory.address() + table + arguments.offset(i));
    }
    view.position(table);
    view.put(values);
  }

  long address() {
    return memory.address();
  }

  @Override
  public void close() {
    memory.close();
  }
}
