package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.DnnCalls;

/** Which cuDNN was found: there is one for each CUDA, all under the same names. */
final class DnnVersion {
  private static final int LEAST_CUDA = 13000;

  private DnnVersion() {}

  /**
   * As NVIDIA writes it: 9.19.0.
   *
   * @throws CremaException if it was built for a CUDA whose libraries are not loaded
   */
  static String require(DnnCalls calls) {
    String version = CudaLibrary.version(calls.cudnnGetVersion());
    long cuda = calls.cudnnGetCudartVersion();
    if (cuda < LEAST_CUDA) {
      throw new CremaException(
          "the cuDNN that was found, "
              + version
              + ", is for CUDA "
              + CudaCard.version((int) cuda)
              + "; Crema needs cuDNN 9 for CUDA 13 (pip: nvidia-cudnn-cu13). CREMA_CUDA_PATH names"
              + " a folder to look in first.");
    }
    return version;
  }
}
