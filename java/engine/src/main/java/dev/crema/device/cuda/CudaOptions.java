package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.ElementwiseOperations;
import java.util.function.ToIntFunction;

/**
 * How CUDA devices compute.
 *
 * @param tf32 whether float32 products and convolutions may round factors to TF32: 10 bits of
 *     significand, several times as fast; off by default
 * @param checksEach whether to wait for the card after each instruction
 * @param cache of kernels compiled at first use
 * @param elementwise the number of an element-wise operation; negative if there is none
 */
record CudaOptions(
    boolean tf32, boolean checksEach, KernelCache cache, ToIntFunction<String> elementwise) {
  /** As the environment variables CREMA_CUDA_TF32 and CREMA_CUDA_CHECK say. */
  static CudaOptions ofEnvironment() {
    return new CudaOptions(
        isOn("CREMA_CUDA_TF32"),
        isOn("CREMA_CUDA_CHECK"),
        KernelCache.standard(),
        ElementwiseOperations::number);
  }

  private static boolean isOn(String variable) {
    return "1".equals(System.getenv(variable));
  }
}
