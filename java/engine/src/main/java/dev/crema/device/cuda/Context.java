package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.calls.DriverCalls;
import java.nio.charset.StandardCharsets;
import org.slf4j.LoggerFactory;

/**
 * The primary context of one card, which other CUDA libraries in the process share, and the check
 * of every status. Thread-safe.
 */
final class Context {
  private static final int BUS_ID_BYTES = 32;

  private final String name;
  private final CudaLibraries libraries;
  private final DriverCalls calls;
  private final int device;
  private final long handle;
  private final Object recording = new Object();
  private volatile String failure; // once the device is beyond use

  Context(String name, CudaLibraries libraries, int ordinal) {
    this.name = name;
    this.libraries = libraries;
    this.calls = libraries.driver();
    int[] found = new int[1];
    check(calls.cuDeviceGet(found, ordinal), "cuDeviceGet");
    this.device = found[0];
    long[] context = new long[1];
    check(calls.cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
    this.handle = context[0];
  }

  String name() {
    return name;
  }

  DriverCalls calls() {
    return calls;
  }

  CudaLibraries libraries() {
    return libraries;
  }

  /** Held while a stream records: nobody may wait for the whole context meanwhile. */
  Object recording() {
    return recording;
  }

  int attribute(int attribute) {
    int[] value = new int[1];
    check(calls.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
    return value[0];
  }

  /** By which NVML knows the card. */
  String busId() {
    byte[] id = new byte[BUS_ID_BYTES];
    check(calls.cuDeviceGetPCIBusId(id, device), "cuDeviceGetPCIBusId");
    return new String(id, StandardCharsets.US_ASCII).split("\0", 2)[0];
  }

  /** Makes it this thread's context. */
  void enter() {
    requireUsable();
    check(calls.cuCtxSetCurrent(handle), "cuCtxSetCurrent");
  }

  /** As {@link #enter}, to give something back, whatever state the device is in. */
  void enterToClose() {
    quietly(calls.cuCtxSetCurrent(handle), "cuCtxSetCurrent");
  }

  private void requireUsable() {
    String reason = failure;
    if (reason != null) {
      throw new CudaException(
          "cuCtxSetCurrent", DriverStatus.SUCCESS, name + " failed earlier: " + reason);
    }
  }

  /** Whether the device is beyond use. */
  boolean hasFailed() {
    return failure != null;
  }

  /**
   * @throws CudaException naming the call unless the status says that it worked
   */
  void check(int status, String call) {
    if (status != DriverStatus.SUCCESS) {
      throw failed(status, call);
    }
  }

  private CudaException failed(int status, String call) {
    String message =
        call
            + " on "
            + name
            + " gave "
            + calls.errorName(status)
            + " ("
            + calls.errorText(status)
            + ")."
            + DriverStatus.advice(status);
    if (DriverStatus.isSticky(status) && failure == null) {
      failure = message;
    }
    return new CudaException(call, status, message);
  }

  /** The check where something is given back: nobody can do anything about a failure there. */
  void quietly(int status, String call) {
    if (status != DriverStatus.SUCCESS && failure == null) {
      LoggerFactory.getLogger(Context.class)
          .warn(
              "{} on {} gave {} while memory was given back", call, name, calls.errorName(status));
    }
  }

  void close() {
    quietly(calls.cuDevicePrimaryCtxRelease(device), "cuDevicePrimaryCtxRelease");
  }
}
