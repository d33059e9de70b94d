package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DriverCalls;

/** Records what is queued on a stream as a graph that one call launches. */
final class Graphs {
  /** Other threads may allocate and load meanwhile. */
  private static final int THREAD_LOCAL = 1;

  private Graphs() {}

  /**
   * Records what {@code work} queues on the stream.
   *
   * @param memory of the card, of which an executable graph takes some
   * @return an executable graph, which the caller destroys
   */
  static long capture(Context context, DeviceMemory memory, long stream, Runnable work) {
    DriverCalls calls = context.calls();
    context.check(calls.cuStreamBeginCapture(stream, THREAD_LOCAL), "cuStreamBeginCapture");
    long[] graph = new long[1];
    CudaException stopped = null;
    boolean queued = false;
    try {
      work.run();
      queued = true;
    } catch (CudaException e) {
      stopped = e;
    } finally {
      int status = calls.cuStreamEndCapture(stream, graph);
      if (!queued || status != DriverStatus.SUCCESS) {
        destroy(context, graph[0]);
      }
      if (queued || DriverStatus.isOfCapture(status)) { // else what stopped it is what counts
        context.check(status, "cuStreamEndCapture");
      }
    }
    if (stopped != null) {
      throw stopped;
    }
    try {
      long[] executable = new long[1];
      memory.check(
          memory.withRoom(() -> calls.cuGraphInstantiate(executable, graph[0], 0)),
          "cuGraphInstantiate",
          "what an executable graph takes");
      return executable[0];
    } finally {
      destroy(context, graph[0]);
    }
  }

  private static void destroy(Context context, long graph) {
    if (graph != 0) {
      context.quietly(context.calls().cuGraphDestroy(graph), "cuGraphDestroy");
    }
  }
}
