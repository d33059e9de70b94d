package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.memory.Buffer;

/** Memory of the host that the card copies from and to without the driver's detours. */
final class PinnedMemory {
  private static final int PORTABLE = 1; // in every context

  private PinnedMemory() {}

  /**
   * New memory, all zero bytes; the caller closes it.
   *
   * @throws CremaException if the system cannot pin so much
   */
  static Buffer allocate(Context context, long bytes, String name) {
    context.enter();
    long[] address = new long[1];
    int status = context.calls().cuMemHostAlloc(address, Math.max(1, bytes), PORTABLE);
    if (status == DriverStatus.OUT_OF_MEMORY) {
      return Buffer.allocate(bytes, name); // copies are slower, that is all
    }
    context.check(status, "cuMemHostAlloc");
    Buffer buffer = Buffer.owning(address[0], bytes, name, () -> free(context, address[0]));
    buffer.fill((byte) 0);
    return buffer;
  }

  private static void free(Context context, long address) {
    context.enterToClose();
    context.quietly(context.calls().cuMemFreeHost(address), "cuMemFreeHost");
  }
}
