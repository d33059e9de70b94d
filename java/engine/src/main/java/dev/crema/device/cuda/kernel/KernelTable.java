package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Every instruction that the CUDA device knows, by name. */
public final class KernelTable {
  private static final Map<String, Kernel> ALL =
      collect(
          List.of(
              LinearKernels.kernels(),
              AttentionKernels.kernels(),
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
              QuantizedProducts.kernels(),
              WeightOnlyKernels.kernels(),
              Fp8Kernels.kernels(),
              RecurrentKernels.kernels(),
              SparseKernels.kernels(),
              CastKernels.kernels()));

  /** Instructions whose tensors may be of a 16-bit floating type. */
  private static final Set<String> HALF =
      Set.of(
          "linear",
          "mat_mul",
          "attention",
          "attention_grad",
          "conv2d",
          "conv2d_input_grad",
          "conv2d_weight_grad",
          "conv_transpose2d",
          "assign",
          "cast_all",
          "elementwise",
          "mean_scale",
          "reduce_sum",
          "reduce_mean",
          "reduce_sum_squares",
          "reduce_max",
          "reduce_min",
          "softmax",
          "softmax_grad",
          "softmax_cross_entropy",
          "log_softmax",
          "log_softmax_grad",
          "layer_norm",
          "layer_norm_grad",
          "rms_norm",
          "rms_norm_grad",
          "batch_norm",
          "batch_norm_grad",
          "dropout",
          "max_pool2d",
          "max_pool2d_grad",
          "average_pool2d",
          "average_pool2d_grad",
          "global_average_pool",
          "global_average_pool_grad",
          "global_max_pool",
          "global_max_pool_grad",
          "concat",
          "split",
          "transpose",
          "slice",
          "slice_grad",
          "pad",
          "pad_grad",
          "gather",
          "gather_grad",
          "embedding",
          "embedding_grad",
          "lstm",
          "lstm_grad",
          "gru",
          "gru_grad");

  private KernelTable() {}

  /** Whether the kernel of that name reads and writes tensors of a 16-bit floating type. */
  public static boolean has(String name, ElementType type) {
    return HALF.contains(name) && type.byteSize() == 2;
  }

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
