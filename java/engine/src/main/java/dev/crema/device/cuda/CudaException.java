package dev.crema.device.cuda;

import dev.crema.CremaException;

/** A call of the CUDA driver or one of its libraries failed. */
public final class CudaException extends CremaException {
  private static final long serialVersionUID = 1L;

  private final String call;
  private final int status;

  /**
   * @param call the C function
   * @param status what it gave
   */
  CudaException(String call, int status, String message) {
    this(call, status, message, null);
  }

  CudaException(String call, int status, String message, Throwable cause) {
    super(message, cause);
    this.call = call;
    this.status = status;
  }

  /** The same failure with the place where it happened. */
  CudaException at(String where) {
    return new CudaException(call, status, where + ": " + getMessage(), this);
  }

  /** The C function that failed, for example {@code cuLaunchKernel}. */
  public String call() {
    return call;
  }

  /** Its status: a number of its library. */
  public int status() {
    return status;
  }
}
