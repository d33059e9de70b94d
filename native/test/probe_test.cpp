// The limits are numbers that a processor can have, grow with threads no further than threads do, and what is asked
// for wrongly is refused.
#include "check.h"

int main() {
  const double fma = crema_probe("fma", 4096, 1);
  CHECK(fma > 1e7 && fma < 1e13, "%g", fma);
  for (const char* name : {"copy", "triad", "read"}) {
    for (const int32_t threads : {1, 2}) {
      const double rate = crema_probe(name, 1 << 20, threads);
      CHECK(rate > 1e6 && rate < 1e13, "%s on %d threads: %g", name, threads, rate);
    }
  }
  // Which of the two is faster is the processor's own: an emulated tile is slower than a vector.
  const double bytes = crema_probe("int8", 4096, 1), vectors = crema_probe("int8_vectors", 4096, 1);
  CHECK((bytes > 0) == (vectors > 0), "bytes: %g, in vectors %g", bytes, vectors);
  CHECK(bytes < 1e14 && vectors < 1e13, "bytes: %g, in vectors %g", bytes, vectors);
  CHECK(crema_probe("read", 256, 3) > 0, "more threads than work");
  CHECK(crema_probe("speed of light", 4096, 1) < 0, "an unknown limit");
  CHECK(crema_probe("copy", 4096, 0) < 0, "no threads");
  CHECK(crema_probe("copy", 0, 1) < 0, "no bytes");
  // AVX-512 without VNNI must not be given what only AVX-VNNI has, which comes before it in the order.
  for (int32_t level = 0; crema_isa_name(level) != nullptr; ++level) {
    if (std::strcmp(crema_isa_name(level), "avx512") != 0 || crema_isa_force(level) != CREMA_OK) continue;
    CHECK(crema_probe("int8", 4096, 1) <= 0, "products of bytes in one instruction on avx512");
  }
  return crema_test::result();
}
