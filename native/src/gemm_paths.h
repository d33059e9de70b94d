// gemm_paths.h: the ways in which a product is computed, shared by the files gemm*.cpp. A path fixes the
// order of every sum; it is chosen from the sizes of the whole product, before threads share it, so
// that the thread count cannot change a bit.
#pragma once

#include "gemm.h"

namespace crema {
namespace CREMA_ISA {

enum class Path {
  kBlocked,   // tiles of registers over packed or unpacked blocks
  kVector,    // few rows: B is read once, in the order in which it lies in memory
  kColumn     // one column: as kVector, with A and B in each other's places
};

constexpr int64_t kVectorRows = 4;  // most rows of kVector
// Steps of k between two visits to C. Panels of B of this depth stay in the L1 cache.
constexpr int64_t kDepth = 256;

Path path_of(const Gemm& g);
void gemm_on(Path path, const Gemm& g, char* scratch);

int64_t vector_scratch_floats(int64_t m, int64_t n, int64_t k);
void vector_product(const Gemm& g, float* scratch);
void column_product(const Gemm& g, float* scratch);

inline int64_t round_up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }
inline int64_t depth_blocks(int64_t k) { return k <= kDepth ? 1 : (k + kDepth - 1) / kDepth; }

}  // namespace CREMA_ISA
}  // namespace crema
