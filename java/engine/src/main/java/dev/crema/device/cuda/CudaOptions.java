package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.ElementwiseOperations;
import java.util.function.ToIntFunction;

/**
 * How CUDA devices compute.
 *
 * @param checksEach whether to wait for the card after each instruction
 * @param cache of kernels compiled at first use
 * @param elementwise the number of an element-wise operation; negative if there is none
 */
record CudaOptions(boolean checksEach, KernelCache cache, ToIntFunction<String> elementwise) {
  /** As the environment variable CREMA_CUDA_CHECK says. */
  static CudaOptions ofEnvironment() {
    return new CudaOptions(
        "1".equals(System.getenv("CREMA_CUDA_CHECK")),
        KernelCache.standard(),
        ElementwiseOperations::number);
  }
}
