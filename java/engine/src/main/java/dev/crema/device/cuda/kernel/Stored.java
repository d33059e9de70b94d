package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * Kernels that come for each floating type: {@code NAME_f32}, {@code NAME_bf16}, {@code NAME_f16}.
 */
public final class Stored {
  private Stored() {}

  /**
   * The name of the kernel for tensors of that type.
   *
   * @throws IllegalArgumentException if it is no floating type
   */
  public static String name(String kernel, ElementType type) {
    return kernel
        + switch (type) {
          case FLOAT32 -> "_f32";
          case BFLOAT16 -> "_bf16";
          case FLOAT16 -> "_f16";
          default -> throw new IllegalArgumentException(kernel + " has no kernel for " + type);
        };
  }
}
