// sparse_panel.h: what the products of panels share: sparse_columns.cpp, sparse_bands.cpp. A panel is the rows of x beside
// each other, `lanes` floats for each input, and a row of zeros.
#pragma once

#include "sparse.h"
#include "vec.h"

namespace crema {
namespace CREMA_ISA {

// Bits [16 i, 16 i + 16) of a word, in one instruction where GCC takes three. Intel makes two operations of BEXTR and one
// of PEXT (8 examples: 30.5 µs instead of 32.5); AMD before Zen 3, which has no AVX-512, makes many of PEXT.
CREMA_INLINE uint64_t field(uint64_t word, uint64_t i) {
#if defined(__AVX512F__)
  if (i % 3 == 0) return i == 0 ? static_cast<uint16_t>(word) : word >> 48;
  uint64_t bits;
  __asm__("pext %2, %1, %0" : "=r"(bits) : "r"(word), "r"(uint64_t{0xffff} << (16 * i)));
  return bits;
#elif defined(__AVX2__)
  if (i % 3 == 0) return i == 0 ? static_cast<uint16_t>(word) : word >> 48;
  uint64_t bits;
  __asm__("bextr %2, %1, %0" : "=r"(bits) : "r"(word), "r"(uint64_t{16} << 8 | 16 * i) : "cc");
  return bits;
#else
  return (word >> (16 * i)) & 0xffff;
#endif
}

// The indices of a batch. A word of four costs one load; single loads would wait for those of x.
CREMA_INLINE void indices_of(const uint16_t* rows, uint64_t (&index)[kBatch]) {
  uint64_t words[2];
  std::memcpy(words, rows, sizeof(words));
#pragma GCC unroll 8
  for (uint64_t i = 0; i < kBatch; ++i) index[i] = field(words[i / 4], i % 4);
}
CREMA_INLINE void indices_of(const uint32_t* rows, uint64_t (&index)[kBatch]) {
#pragma GCC unroll 8
  for (int i = 0; i < kBatch; ++i) index[i] = rows[i];
}

CREMA_INLINE const float* row_of(const float* panel, uint64_t index, uint64_t lanes) {
  return reinterpret_cast<const float*>(reinterpret_cast<const char*>(panel) + index * lanes);
}

// sums [to - from, lanes] of columns [from, to), a chunk.
using Columns = void (*)(const SparseParts& s, int64_t from, int64_t to, const float* panel, float* sums);

// Of whole vectors: whether nothing is NaN or infinite.
inline bool all_finite(const float* x, int64_t count) {
  const veci exponent = broadcasti(0x7f800000);
  veci found = {};
  for (int64_t i = 0; i < count; i += W) found |= (as_int(load(x + i)) & exponent) == exponent;
  for (int i = 0; i < W; ++i) {
    if (found[i] != 0) return false;
  }
  return true;
}

// For kBands: panel [k, lanes] is looked at where weights are absent among others.
Columns bands_for(const SparseParts& s, int64_t lanes, const float* panel, int64_t k);

}  // namespace CREMA_ISA
}  // namespace crema
