// bf16.h: bfloat16 in matrix products. A lane of a vector holds a pair, of two neighbouring steps of k, the earlier one
// in its low half. Only products of the AVX-512 BF16 instructions compute with pairs; the others round to bfloat16 and
// multiply as float32.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

#if defined(__AVX512BF16__)
constexpr bool kPairs = true;
#else
constexpr bool kPairs = false;
#endif

typedef uint32_t vecu __attribute__((vector_size(4 * W)));

// Steps of a packed operand for k steps of a product.
inline int64_t steps_of(int64_t k) { return kPairs ? (k + 1) / 2 : k; }

// The four bytes at p in every lane, whatever they mean.
CREMA_INLINE vec broadcast_bits(const float* p) {
#if defined(__AVX512BF16__)
  int32_t bits;
  std::memcpy(&bits, p, sizeof(bits));
  return (vec)_mm512_set1_epi32(bits);
#else
  return broadcast(*p);
#endif
}

// sum + a b over both halves of every lane.
CREMA_INLINE vec add_pairs(vec a, vec b, vec sum) {
#if defined(__AVX512BF16__)
  return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  (void)a;
  (void)b;
  return sum;
#endif
}

// The nearest bfloat16, half to even, as a float. NaN stays NaN.
CREMA_INLINE vec round_bf16(vec x) {
  const vecu bits = (vecu)x;
  const vecu rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
  return select(x == x, (vec)rounded, (vec)((bits | 0x400000u) & 0xffff0000u));
}

CREMA_INLINE vec pair(vec low, vec high) {
#if defined(__AVX512BF16__)
  alignas(64) static constexpr uint16_t kInterleaved[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                            8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
  return (vec)_mm512_permutexvar_epi16(_mm512_load_si512(kInterleaved), both);
#else
  return (vec)(((vecu)round_bf16(low) >> 16) | (vecu)round_bf16(high));
#endif
}
CREMA_INLINE vec low_of(vec pairs) { return (vec)((vecu)pairs << 16); }
CREMA_INLINE vec high_of(vec pairs) { return (vec)((vecu)pairs & 0xffff0000u); }

#if defined(__AVX512BF16__)
// W pairs of the first n <= 2 W floats at p, zeros after them.
CREMA_INLINE vec pairs_at(const float* p, int64_t n) {
  const vec low = some(p, n), high = n > W ? some(p + W, n - W) : vec{};
  return (vec)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low);
}
#endif

}  // namespace CREMA_ISA
}  // namespace crema
