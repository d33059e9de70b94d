// weight_only.h: y = activation(x w + bias) for float32 x and w [k, n] of 8 or 4 bits: q times a scale, q being whole
// numbers from -127 to 127 or from -7 to 7, or those of E4M3 (fp8.h). A scale is that of a column's `group` consecutive
// rows. Compiled per ISA.
//
// Few rows of x: each sum of x q over a group is made in float32 and scaled once; weights become float32 in registers, so
// that what is read from memory is a quarter or an eighth. More rows: a block of w becomes float32 in the cache first, as
// q times its scale rounded once, and is multiplied by gemm.
//
// Packed weights: panels of 2 W columns, the last filled up to whole vectors with zeros, one behind the other. A panel of
// 8 bits has k rows of bytes; one of 4 bits has rows of 32-bit words, of which each holds eight steps of k of a column,
// the first in the lowest bits, in two's complement. Then the scales, [groups, n rounded up to 16].
#pragma once

#include "gemm.h"

namespace crema {
namespace CREMA_ISA {

constexpr int64_t kNibbles = 8;  // of a word

enum class FewBits { kInt8, kInt4, kFp8 };

struct WeightOnlyProduct {
  int64_t m = 0, n = 0, k = 0;
  const float* x = nullptr;         // [m, k]
  const int32_t* packed = nullptr;  // 64-byte aligned
  FewBits format = FewBits::kInt8;
  int64_t group = 1;            // rows of w, a multiple of kNibbles or at least k
  const float* bias = nullptr;  // [n] or null
  float* y = nullptr;           // [m, n], not over x
  Activation activation = kNone;
};

inline int64_t weight_only_columns(int64_t n) { return (n + 15) / 16 * 16; }  // of the widest vector
// Words of packed weights before the scales.
inline int64_t weight_only_words(int64_t n, int64_t k, FewBits format) {
  const int64_t steps = format == FewBits::kInt4 ? kNibbles : 4;
  return (k + steps - 1) / steps * weight_only_columns(n);
}

// w [k, n] row-major; scales [groups, n]. A weight becomes the nearest multiple of its scale; NaN becomes 0, and stays NaN as
// fp8.
void pack_weight_only(const float* w, const float* scales, int64_t n, int64_t k, FewBits format, int64_t group,
                      int32_t* packed);

int64_t weight_only_scratch(int64_t m, int64_t n, int64_t k, int32_t threads);
void weight_only_product(const WeightOnlyProduct& g, char* scratch, int32_t threads);

}  // namespace CREMA_ISA
}  // namespace crema
