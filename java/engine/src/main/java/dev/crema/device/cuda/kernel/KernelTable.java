package dev.crema.device.cuda.kernel;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every instruction that the CUDA device knows, by name. */
public final class KernelTable {
  private static final Map<String, Kernel> ALL =
      collect(
          List.of(
              LinearKernels.kernels(),
              ConvolutionKernels.kernels(),
              ElementwiseKernels.kernels(),
              SoftmaxKernels.kernels(),
              ReduceKernels.kernels(),
              OptimizerKernels.kernels(),
              NormKernels.kernels(),
              MoveKernels.kernels(),
              IndexKernels.kernels(),
              PoolingKernels.kernels(),
              QuantizedKernels.kernels(),
              RecurrentKernels.kernels(),
              SparseKernels.kernels()));

  private KernelTable() {}

  /** The kernel of that name; null if there is none. */
  public static Kernel get(String name) {
    return ALL.get(name);
  }

  private static Map<String, Kernel> collect(List<Map<String, Kernel>> families) {
    Map<String, Kernel> all = new HashMap<>();
    for (Map<String, Kernel> family : families) {
      family.forEach(
          (name, kernel) -> {
            if (all.put(name, kernel) != null) {
              throw new IllegalStateException("Two kernels are named " + name);
            }
          });
    }
    return Map.copyOf(all);
  }
}
