package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.BlasCalls;

/** The check of cuBLASLt's statuses. */
final class BlasStatus {
  private BlasStatus() {}

  static void check(BlasCalls calls, int status, String call) {
    if (status != 0) {
      throw new CudaException(call, status, call + " gave " + calls.statusName(status));
    }
  }
}
