package dev.crema.device.cuda.calls;

/**
 * What Crema uses of the CUDA driver, by the names of the C functions. Each gives the status, which
 * the caller checks; results go into the arrays. Addresses and handles are numbers. Thread-safe.
 */
public interface DriverCalls {
  int cuInit(int flags);

  int cuDriverGetVersion(int[] version);

  int cuDeviceGetCount(int[] count);

  int cuDeviceGet(int[] device, int ordinal);

  int cuDeviceGetName(byte[] name, int device);

  /**
   * @param id text with a zero byte behind it, as 0000:17:00.0
   */
  int cuDeviceGetPCIBusId(byte[] id, int device);

  int cuDeviceTotalMem(long[] bytes, int device);

  int cuDeviceGetAttribute(int[] value, int attribute, int device);

  int cuDevicePrimaryCtxRetain(long[] context, int device);

  int cuDevicePrimaryCtxRelease(int device);

  int cuCtxSetCurrent(long context);

  int cuCtxSynchronize();

  int cuMemGetInfo(long[] free, long[] total);

  int cuMemAlloc(long[] address, long bytes);

  int cuMemFree(long address);

  int cuMemHostAlloc(long[] address, long bytes, int flags);

  int cuMemFreeHost(long address);

  int cuMemcpyHtoDAsync(long to, long from, long bytes, long stream);

  int cuMemcpyDtoHAsync(long to, long from, long bytes, long stream);

  int cuMemcpyDtoDAsync(long to, long from, long bytes, long stream);

  int cuMemsetD8Async(long to, int value, long bytes, long stream);

  int cuStreamCreate(long[] stream, int flags);

  int cuStreamDestroy(long stream);

  int cuStreamSynchronize(long stream);

  int cuStreamBeginCapture(long stream, int mode);

  int cuStreamEndCapture(long stream, long[] graph);

  int cuGraphInstantiate(long[] executable, long graph, long flags);

  int cuGraphLaunch(long executable, long stream);

  int cuGraphExecDestroy(long executable);

  int cuGraphDestroy(long graph);

  int cuEventCreate(long[] event, int flags);

  int cuEventRecord(long event, long stream);

  int cuEventSynchronize(long event);

  int cuStreamWaitEvent(long stream, long event, int flags);

  int cuEventElapsedTime(float[] milliseconds, long start, long end);

  int cuEventDestroy(long event);

  /**
   * @param image address of the module in the host's memory
   */
  int cuModuleLoadData(long[] module, long image);

  int cuModuleUnload(long module);

  int cuModuleGetFunction(long[] function, long module, String name);

  int cuFuncSetAttribute(long function, int attribute, int value);

  /**
   * @param parameters address of an array of addresses of the arguments
   */
  int cuLaunchKernel(
      long function,
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      long stream,
      long parameters);

  /** The name of a status: {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  String errorName(int status);

  /** What a status means, as the driver puts it. */
  String errorText(int status);
}
