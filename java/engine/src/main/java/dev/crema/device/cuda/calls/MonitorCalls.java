package dev.crema.device.cuda.calls;

/** What Crema uses of NVML, by the names of the C functions; as {@link DriverCalls}. */
public interface MonitorCalls {
  int nvmlInit();

  /**
   * @param text gets the driver's version, ended by 0
   */
  int nvmlSystemGetDriverVersion(byte[] text);

  /**
   * @param id as {@link DriverCalls#cuDeviceGetPCIBusId} gives it
   */
  int nvmlDeviceGetHandleByPciBusId(String id, long[] device);

  /**
   * @param percent of the last sampling period (up to a second) in which a kernel ran
   */
  int nvmlDeviceGetUtilizationRates(long device, int[] percent);

  /** What a status means. */
  String errorText(int status);
}
