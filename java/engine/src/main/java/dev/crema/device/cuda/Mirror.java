package dev.crema.device.cuda;

import dev.crema.memory.Buffer;
import dev.crema.memory.DeviceCopy;

/**
 * A card's copy of memory of the host that outlives runs: parameters, moments, constants. All
 * programs of the card share it. Copied to the card when the host has changed it, and back when the
 * host reads what the card has changed.
 */
final class Mirror implements DeviceCopy {
  private final CopyStream copies;
  private final Context context;
  private final Buffer whole;
  private final long host;
  private final DeviceMemory.Piece memory;
  private int users;
  private long version = -1; // of the host's memory, whose contents stand here
  private boolean newer; // what stands here is newer than the host's
  private boolean lost; // it was newer, and the device has failed

  /**
   * @param whole all the memory of the host; closed with this
   */
  Mirror(Context context, CopyStream copies, DeviceMemory memory, Buffer whole) {
    this.context = context;
    this.copies = copies;
    this.whole = whole;
    this.host = whole.address();
    this.memory = memory.allocate(whole.byteSize(), "The copy of " + whole);
  }

  long address() {
    return memory.address();
  }

  long host() {
    return host;
  }

  synchronized void addUser() {
    users++;
  }

  /** Whether that was the last; then {@link #close} follows. */
  synchronized boolean dropUser() {
    return --users == 0;
  }

  /**
   * Has the card see what the host wrote, before work that is queued on the stream from now on. The
   * context is current.
   */
  synchronized void upload(long stream) {
    if (newer) {
      return;
    }
    long now = whole.version();
    if (now >= 0 && now == version) {
      return;
    }
    if (whole.byteSize() > 0) {
      context.check(
          context.calls().cuMemcpyHtoDAsync(address(), host, whole.byteSize(), stream),
          "cuMemcpyHtoDAsync");
    }
    if (users > 1) { // another program may rely on it before this stream gets there
      context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
    }
    version = now;
  }

  /**
   * Says that work on the card, now done, has changed it. If somebody holds a view of the host's
   * memory, that is made to show it at once.
   */
  synchronized void written() {
    newer = true;
    whole.changed();
    whole.newerOn(this);
    version = whole.version();
    if (version < 0) {
      download();
    }
  }

  @Override
  public synchronized void download() {
    if (lost) {
      throw new CudaException(
          "cuMemcpyDtoHAsync",
          DriverStatus.SUCCESS,
          "The newest contents of " + whole + " were on " + context.name() + ", which has failed");
    }
    if (newer) {
      copies.toHost(host, address(), whole.byteSize());
      newer = false;
      whole.newest();
    }
  }

  /** After the last user: the host gets the newest contents, the card's memory is given back. */
  synchronized void close() {
    try {
      download();
    } catch (RuntimeException e) {
      lost = true; // and whoever reads the buffer is told so
    } finally {
      memory.close();
      whole.close();
    }
  }
}
