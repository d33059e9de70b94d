package dev.crema.device;

import dev.crema.CremaException;

/** Values in the data that an op does not allow, found while a program ran. */
public final class KernelException extends CremaException {
  private static final long serialVersionUID = 1L;

  private final int instruction;

  public KernelException(int instruction, String message) {
    super(message);
    this.instruction = instruction;
  }

  /** Position of the instruction that found it; -1 if it was none. */
  public int instruction() {
    return instruction;
  }
}
