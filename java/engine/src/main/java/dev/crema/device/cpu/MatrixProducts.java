package dev.crema.device.cpu;

import dev.crema.CremaException;
import dev.crema.natives.OpenBlas;

/**
 * Who computes matrix products: Crema's own kernels, or OpenBLAS where the environment variable
 * {@code CREMA_GEMM} is {@code openblas}, for comparisons. OpenBLAS takes a quarter of a second to
 * load, so nobody else waits for it.
 */
final class MatrixProducts {
  private static final String SETTING = "CREMA_GEMM";

  private MatrixProducts() {}

  /** Before the first plan: loads what the environment asks for. */
  static void prepare() {
    prepare(System.getenv(SETTING));
  }

  static void prepare(String choice) {
    if (choice == null || choice.isEmpty() || choice.equals("own")) {
      return;
    }
    if (!choice.equals("openblas")) {
      throw new CremaException(
          SETTING + " is \"" + choice + "\"; it can be own (the default) or openblas");
    }
    try {
      OpenBlas.load();
    } catch (UnsatisfiedLinkError e) {
      throw new CremaException(SETTING + " asks for OpenBLAS: " + e.getMessage(), e);
    }
  }
}
