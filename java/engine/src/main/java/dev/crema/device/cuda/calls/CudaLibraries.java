package dev.crema.device.cuda.calls;

/** The libraries behind CUDA devices; each but the driver is loaded when it is first asked for. */
public interface CudaLibraries {
  DriverCalls driver();

  /**
   * cuBLASLt.
   *
   * @throws dev.crema.CremaException saying where it was looked for
   */
  BlasCalls blas();

  /**
   * cuDNN.
   *
   * @throws dev.crema.CremaException saying where it was looked for
   */
  DnnCalls dnn();

  /**
   * cuDNN's graph API.
   *
   * @throws dev.crema.CremaException saying where it was looked for
   */
  GraphCalls graphs();

  /**
   * NVRTC.
   *
   * @throws dev.crema.CremaException saying where it was looked for
   */
  CompilerCalls compiler();

  /**
   * NVML.
   *
   * @throws dev.crema.CremaException saying where it was looked for
   */
  MonitorCalls monitor();
}
