package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.DnnCalls;

/** What cuDNN's functions give. */
final class DnnStatus {
  private static final int LEAST_REFUSAL = 2000; // a bad parameter, or something unsupported
  private static final int MOST_REFUSAL = 3999;

  private DnnStatus() {}

  /**
   * Goes on after a success only.
   *
   * @param call the C function
   */
  static void check(DnnCalls calls, int status, String call) {
    if (status != 0) {
      throw new CudaException(call, status, call + " gave " + calls.statusName(status));
    }
  }

  /** Whether the library has nothing for what was asked, and nothing was queued. */
  static boolean isRefusal(int status) {
    return status >= LEAST_REFUSAL && status <= MOST_REFUSAL;
  }
}
