package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DriverCalls;

/**
 * What is on its way from some memory of the host to the card, ahead of the run that reads it. The
 * next run waits on the card, not on the host, until it is there; a run before which nothing was
 * sent copies for itself. Thread-safe.
 */
final class InputCopy {
  private static final int WITHOUT_TIMES = 2; // CU_EVENT_DISABLE_TIMING

  private final Context context;
  private final DriverCalls calls;
  private final DeviceMemory memory;
  private final long host;
  private final long bytes;
  private DeviceMemory.Piece place; // null until something is sent
  private long event;
  private long sent; // bytes that no run has taken yet
  private boolean noRoom;

  InputCopy(Context context, DeviceMemory memory, long host, long bytes) {
    this.context = context;
    this.calls = context.calls();
    this.memory = memory;
    this.host = host;
    this.bytes = bytes;
  }

  long host() {
    return host;
  }

  /** Begins to copy the first bytes. The context is current. */
  synchronized void send(long count, long stream) {
    if (!prepare()) {
      return;
    }
    sent = 0;
    try {
      context.check(
          calls.cuMemcpyHtoDAsync(place.address(), host, Math.min(count, bytes), stream),
          "cuMemcpyHtoDAsync");
      context.check(calls.cuEventRecord(event, stream), "cuEventRecord");
    } catch (CudaException e) {
      context.quietly(calls.cuStreamSynchronize(stream), "cuStreamSynchronize");
      throw e;
    }
    sent = count;
  }

  /** Whether there is room on the card; without it runs copy for themselves. */
  private boolean prepare() {
    if (place != null || noRoom) {
      return place != null;
    }
    if (event == 0) {
      long[] made = new long[1];
      context.check(calls.cuEventCreate(made, WITHOUT_TIMES), "cuEventCreate");
      event = made[0];
    }
    place = memory.allocateIfThere(bytes);
    noRoom = place == null;
    return place != null;
  }

  /**
   * Has what was sent moved to where a run reads it, once it is there, and the stream wait for
   * that. False, and nothing is done, if less than that was sent or another run has taken it.
   */
  synchronized boolean take(long to, long count, long stream) {
    if (sent < count) {
      return false;
    }
    sent = 0;
    context.check(calls.cuStreamWaitEvent(stream, event, 0), "cuStreamWaitEvent");
    context.check(calls.cuMemcpyDtoDAsync(to, place.address(), count, stream), "cuMemcpyDtoDAsync");
    return true;
  }

  /** Waits for what is under way: nobody may give the memory back before. */
  synchronized void close() {
    context.enterToClose();
    if (event != 0) {
      context.quietly(calls.cuEventSynchronize(event), "cuEventSynchronize");
      context.quietly(calls.cuEventDestroy(event), "cuEventDestroy");
    }
    if (place != null) {
      place.close();
    }
  }
}
