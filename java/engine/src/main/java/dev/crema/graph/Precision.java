package dev.crema.graph;

/**
 * In what a model computes. Parameters, gradients as they are summed and applied, moments, losses
 * and statistics are float32 always.
 */
public enum Precision {
  /** IEEE 754 single precision: 24 bits of significand. */
  FLOAT32,

  /**
   * float32, whose factors in matrix products and convolutions an NVIDIA card rounds to TF32: 11
   * bits of significand, float32's range, several times as fast from compute capability 8.0 on. The
   * CPU has no such kernels: there it is the same as {@link #FLOAT32}.
   */
  TF32,

  /**
   * 8 bits of significand and float32's range (Kalamkar et al. 2019). On a card, what stands
   * between ops is stored so, forward and backward, and products read 16-bit copies of the weights.
   * On the CPU each factor of a matrix product is rounded when the product reads it, everything
   * between the products stays float32: twice as fast on AMD's processors with AVX-512 BF16, five
   * times on Intel's with AMX, and half the memory traffic of packed weights.
   */
  BFLOAT16,

  /**
   * IEEE 754 half precision: 11 bits of significand, numbers up to 65504. On a card as {@link
   * #BFLOAT16}; trainings scale the loss so that small gradients don't vanish (Micikevicius et al.
   * 2018). The CPU has no kernels for it.
   */
  FLOAT16
}
