package dev.crema.bench.peers;

import dev.crema.natives.Crema;

/** OpenBLAS takes its Haswell kernels on many processors that have AVX-512. */
final class BlasCore {
  private BlasCore() {}

  /** The core to ask OpenBLAS for; null to leave it alone. */
  static String best() {
    return Crema.crema_isa_name(Crema.crema_isa_active()).startsWith("avx512") ? "SKYLAKEX" : null;
  }
}
