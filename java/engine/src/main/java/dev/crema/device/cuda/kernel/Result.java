package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;

/**
 * Where kernels that write float32 put a result that may be stored in 16 bits: itself, or scratch
 * memory that is then rounded to it.
 *
 * @param address of the float32
 */
record Result(Operand to, long address) {
  static Result of(Launches launches, Operand to) {
    boolean direct = to.type() == ElementType.FLOAT32;
    return new Result(to, direct ? to.address() : launches.scratch(Math.max(4, 4 * to.elements())));
  }

  /** Bytes of the float32. */
  long bytes() {
    return 4 * to.elements();
  }

  /** After the launches that wrote it. */
  void store(Call c, Launches launches) {
    if (address != to.address()) {
      ElementwiseKernels.round(c, launches, address, to);
    }
  }
}
