package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DriverCalls;

/** Events between instructions. */
final class Timeline implements AutoCloseable {
  private static final double NANOS_A_MILLISECOND = 1e6;

  private final Context context;
  private final DriverCalls calls;
  private final long[] events;
  private int made;
  private int recorded;

  /** Makes one event more than there are instructions. */
  Timeline(Context context, int instructions) {
    this.context = context;
    this.calls = context.calls();
    this.events = new long[instructions + 1];
    try {
      long[] event = new long[1];
      for (int i = 0; i < events.length; i++) {
        context.check(calls.cuEventCreate(event, 0), "cuEventCreate");
        events[i] = event[0];
        made++;
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  void record(long stream) {
    context.check(calls.cuEventRecord(events[recorded++], stream), "cuEventRecord");
  }

  /** Nanoseconds between one event and the next, when all have passed. */
  long[] nanos() {
    long[] nanos = new long[events.length - 1];
    float[] milliseconds = new float[1];
    for (int i = 0; i < nanos.length; i++) {
      context.check(
          calls.cuEventElapsedTime(milliseconds, events[i], events[i + 1]), "cuEventElapsedTime");
      nanos[i] = Math.round(NANOS_A_MILLISECOND * milliseconds[0]);
    }
    return nanos;
  }

  @Override
  public void close() {
    for (int i = 0; i < made; i++) {
      context.quietly(calls.cuEventDestroy(events[i]), "cuEventDestroy");
    }
    made = 0;
  }
}
