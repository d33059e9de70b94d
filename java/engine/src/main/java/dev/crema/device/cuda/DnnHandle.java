package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;

/** cuDNN's handles, by which everything is queued. */
final class DnnHandle {
  private DnnHandle() {}

  /**
   * Of the context that is current.
   *
   * @throws dev.crema.CremaException if this cuDNN is for another CUDA
   */
  static long create(DnnCalls calls) {
    DnnVersion.require(calls);
    long[] made = new long[1];
    DnnStatus.check(calls, calls.cudnnCreate(made), "cudnnCreate");
    return made[0];
  }
}
