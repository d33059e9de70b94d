package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.memory.Buffer;

/** Memory of the host that the card copies from and to without the driver's detours. */
final class PinnedMemory {
  private static final int PORTABLE = 1; // in every context

  private PinnedMemory() {}

  /**
   * New memory, all zero bytes; the caller closes it. Where the system cannot pin so much it is
   * ordinary memory: copies are slower, that is all.
   *
   * @throws CremaException if there is not that much memory
   */
  static Buffer allocate(Context context, long bytes, String name) {
    Buffer pinned = allocateIfThere(context, bytes, name, () -> {});
    return pinned == null ? Buffer.allocate(bytes, name) : pinned;
  }

  /**
   * New memory, all zero bytes; the caller closes it. Null if the system cannot pin so much.
   *
   * @param before what is done before the memory is given back
   */
  static Buffer allocateIfThere(Context context, long bytes, String name, Runnable before) {
    context.enter();
    long[] address = new long[1];
    int status = context.calls().cuMemHostAlloc(address, Math.max(1, bytes), PORTABLE);
    if (status == DriverStatus.OUT_OF_MEMORY) {
      return null;
    }
    context.check(status, "cuMemHostAlloc");
    Buffer buffer =
        Buffer.owning(
            address[0],
            bytes,
            name,
            () -> {
              before.run();
              free(context, address[0]);
            });
    buffer.fill((byte) 0);
    return buffer;
  }

  private static void free(Context context, long address) {
    context.enterToClose();
    context.quietly(context.calls().cuMemFreeHost(address), "cuMemFreeHost");
  }
}
