package dev.crema.device.cuda.kernel;

import java.util.List;

/** The element-wise operations of the CUDA kernels, in the order of elementwise.cuh. */
public final class ElementwiseOperations {
  /** A place in this list is an operation's number. */
  public static final List<String> NAMES =
      List.of(
          "add",
          "sub",
          "mul",
          "div",
          "maximum",
          "minimum",
          "pow",
          "copy",
          "neg",
          "abs",
          "sign",
          "square",
          "sqrt",
          "rsqrt",
          "reciprocal",
          "exp",
          "log",
          "erf",
          "affine",
          "clip",
          "clip_grad",
          "clip_scale",
          "equal",
          "not_equal",
          "less",
          "less_equal",
          "greater",
          "greater_equal",
          "where",
          "relu",
          "relu_grad",
          "leaky_relu",
          "leaky_relu_grad",
          "elu",
          "elu_grad",
          "selu",
          "selu_grad",
          "sigmoid",
          "sigmoid_grad",
          "tanh",
          "tanh_grad",
          "softplus",
          "softplus_grad",
          "silu",
          "silu_grad",
          "gelu",
          "gelu_grad",
          "gelu_tanh",
          "gelu_tanh_grad",
          "hard_sigmoid",
          "hard_sigmoid_grad",
          "hard_swish",
          "hard_swish_grad",
          "sigmoid_cross_entropy",
          "sigmoid_cross_entropy_grad",
          "binary_cross_entropy",
          "binary_cross_entropy_grad",
          "huber",
          "kl_divergence",
          "fake_quantize",
          "fake_quantize_grad");

  private ElementwiseOperations() {}

  /** Number of an operation; -1 if there is none of that name. */
  public static int number(String name) {
    return NAMES.indexOf(name);
  }
}
