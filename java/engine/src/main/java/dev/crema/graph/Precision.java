package dev.crema.graph;

/** In what the factors of matrix products are held; sums are float32 always. */
public enum Precision {
  /** IEEE 754 single precision: 24 bits of significand. */
  FLOAT32,

  /**
   * Each factor is rounded to the nearest bfloat16, of 8 bits of significand and float32's range,
   * when the product reads it: twice as fast on processors with AVX-512 BF16 instructions, and half
   * the memory traffic of packed weights. Parameters, gradients, moments and everything between the
   * products stay float32 (Kalamkar et al. 2019).
   */
  BFLOAT16
}
