package dev.crema.device.cuda;

import dev.crema.device.cuda.kernel.ElementwiseOperations;
import java.util.function.ToIntFunction;

/**
 * How CUDA devices compute.
 *
 * @param checksEach whether to wait for the card after each instruction
 * @param measuring which ways to compute an instruction are timed on the card
 * @param cache of kernels compiled at first use
 * @param elementwise the number of an element-wise operation; negative if there is none
 */
record CudaOptions(
    boolean checksEach, Measuring measuring, KernelCache cache, ToIntFunction<String> elementwise) {
  /** As the environment variables CREMA_CUDA_CHECK and CREMA_CUDA_MEASURE say. */
  static CudaOptions ofEnvironment() {
    return new CudaOptions(
        "1".equals(System.getenv("CREMA_CUDA_CHECK")),
        Measuring.of(System.getenv(Measuring.VARIABLE)),
        KernelCache.standard(),
        ElementwiseOperations::number);
  }
}
