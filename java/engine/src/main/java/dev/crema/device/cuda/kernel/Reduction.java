package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * What a pass of a reduction does: sum, sum_squares, max or min.
 *
 * @param first operation of the first pass
 * @param later operation of those after it
 * @param type that the first pass reads; each writes float32
 */
record Reduction(String first, String later, ElementType type) {
  static Reduction of(String first, String later, ElementType type) {
    return new Reduction(first, later, type);
  }

  /** The passes after the first. */
  Reduction next() {
    return new Reduction(later, later, ElementType.FLOAT32);
  }

  /** The kernel of the first pass. */
  String kernel(String form) {
    return Stored.name(form + first, type);
  }
}
