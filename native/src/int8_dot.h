// int8_dot.h: in every lane, the product of four unsigned and four signed bytes added to an int32: with the VNNI or
// dot-product instructions where there are, else widened to 16 bits, where no sum of two products saturates.
// (AVX2 by count: a step of 4 rows and 16 columns is 16 products, 16 additions and 4 widenings of weights on four ports
// that multiply at two, 9 cycles; 256 multiply-adds in float32 take 16.)
#pragma once

#include "int8.h"

namespace crema {
namespace CREMA_ISA {

// How many times as fast as in float32 a product is, about.
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
constexpr int64_t kInt8Faster = 4;
#else
constexpr int64_t kInt8Faster = 1;
#endif

#if defined(__AVX512VNNI__)
using Left = veci;   // four bytes of x in every lane
using Right = veci;  // four weights of W columns
constexpr int kInt8Rows = 14;

CREMA_INLINE Left left(int32_t bytes) { return broadcasti(bytes); }
CREMA_INLINE Right right(const int32_t* weights) { return loadi(weights); }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  return (veci)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}
#elif defined(__AVXVNNI__)
using Left = veci;
using Right = veci;
constexpr int kInt8Rows = 6;

CREMA_INLINE Left left(int32_t bytes) { return broadcasti(bytes); }
CREMA_INLINE Right right(const int32_t* weights) { return loadi(weights); }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  return (veci)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)a, (__m256i)b);
}
#elif defined(__AVX2__)
struct Pairs {
  veci first, second;  // bytes 0 and 1, 2 and 3, as int16
};
using Left = Pairs;
using Right = Pairs;
#define CREMA_INT8_PAIRS 1  // of 16 bits are multiplied: weights lie in that order, and copies of x are that wide

#if defined(__AVX512F__)
constexpr int kInt8Rows = 10;

CREMA_INLINE Left left(int32_t bytes) {
  const __m512i all = (__m512i)broadcasti(bytes);
  return {(veci)_mm512_shuffle_epi8(all, _mm512_set1_epi32(static_cast<int32_t>(0x80018000))),
          (veci)_mm512_shuffle_epi8(all, _mm512_set1_epi32(static_cast<int32_t>(0x80038002)))};
}
CREMA_INLINE Right right(const int32_t* weights) {
  const __m256i* const p = reinterpret_cast<const __m256i*>(weights);
  return {(veci)_mm512_cvtepi8_epi16(_mm256_loadu_si256(p)), (veci)_mm512_cvtepi8_epi16(_mm256_loadu_si256(p + 1))};
}
CREMA_INLINE veci products(veci a, veci b) { return (veci)_mm512_madd_epi16((__m512i)a, (__m512i)b); }
#else
constexpr int kInt8Rows = 4;

CREMA_INLINE Left left(int32_t bytes) {
  const __m256i all = (__m256i)broadcasti(bytes);
  return {(veci)_mm256_shuffle_epi8(all, _mm256_set1_epi32(static_cast<int32_t>(0x80018000))),
          (veci)_mm256_shuffle_epi8(all, _mm256_set1_epi32(static_cast<int32_t>(0x80038002)))};
}
CREMA_INLINE Right right(const int32_t* weights) {
  const __m128i* const p = reinterpret_cast<const __m128i*>(weights);
  return {(veci)_mm256_cvtepi8_epi16(_mm_loadu_si128(p)), (veci)_mm256_cvtepi8_epi16(_mm_loadu_si128(p + 1))};
}
CREMA_INLINE veci products(veci a, veci b) { return (veci)_mm256_madd_epi16((__m256i)a, (__m256i)b); }
#endif
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  return sum + (products(a.first, b.first) + products(a.second, b.second));
}
#elif defined(__ARM_NEON)
using Left = int8x16_t;
using Right = int8x16_t;
constexpr int kInt8Rows = 8;

CREMA_INLINE Left left(int32_t bytes) {
  return vreinterpretq_s8_u32(vdupq_n_u32(static_cast<uint32_t>(bytes) ^ 0x80808080u));
}
CREMA_INLINE Right right(const int32_t* weights) { return (int8x16_t)loadi(weights); }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
#if defined(__ARM_FEATURE_DOTPROD)
  return (veci)vdotq_s32((int32x4_t)sum, a, b);
#else
  const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)));
  const int32x4_t high = vpaddlq_s16(vmull_high_s8(a, b));
  return sum + (veci)vpaddq_s32(low, high);
#endif
}
#else
using Left = int32_t;
using Right = int32_t;
constexpr int kInt8Rows = 4;

CREMA_INLINE Left left(int32_t bytes) { return bytes; }
CREMA_INLINE Right right(const int32_t* weights) { return *weights; }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  int32_t s = sum[0];
  for (int i = 0; i < kGroup; ++i) s += (a >> (8 * i) & 0xff) * static_cast<int8_t>(b >> (8 * i));
  return veci{s};
}
#endif

CREMA_INLINE int32_t group(const uint8_t* p) {
  int32_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// Copies of x have kSpread bytes for each of its bytes: what every tile would else do again with what it reads is done
// once. `spread_left` reads a group of such a copy, `place` says where weight i of a lane lies in a packed vector.
#if defined(CREMA_INT8_PAIRS)
constexpr int64_t kSpread = 2;

CREMA_INLINE Left spread_left(const uint8_t* p) { return {broadcasti(group(p)), broadcasti(group(p + 4))}; }
CREMA_INLINE void spread(const uint8_t* x, int64_t n, uint8_t* y) {
  typedef uint8_t narrow __attribute__((vector_size(2 * W)));
  typedef uint16_t wide __attribute__((vector_size(4 * W)));
  int64_t i = 0;
  for (; i + 2 * W <= n; i += 2 * W) {
    narrow v;
    std::memcpy(&v, x + i, sizeof(v));
    const wide w = __builtin_convertvector(v, wide);
    std::memcpy(y + kSpread * i, &w, sizeof(w));
  }
  for (; i < n; ++i) {
    const uint16_t w = x[i];
    std::memcpy(y + kSpread * i, &w, sizeof(w));
  }
}
CREMA_INLINE int64_t place(int64_t lane, int64_t i) { return i / 2 * 2 * W + 2 * lane + i % 2; }
#else
constexpr int64_t kSpread = 1;

CREMA_INLINE Left spread_left(const uint8_t* p) { return left(group(p)); }
CREMA_INLINE void spread(const uint8_t* x, int64_t n, uint8_t* y) { std::memcpy(y, x, static_cast<size_t>(n)); }
CREMA_INLINE int64_t place(int64_t lane, int64_t i) { return kGroup * lane + i; }
#endif

// W unsigned bytes: what v, of values from 0 to 255, holds.
CREMA_INLINE void put_bytes(uint8_t* p, veci v, int64_t n) {
#if defined(__AVX512F__)
  const __mmask16 mask = n >= W ? static_cast<__mmask16>(0xffff) : static_cast<__mmask16>((1u << n) - 1);
  _mm_mask_storeu_epi8(p, mask, _mm512_cvtepi32_epi8((__m512i)v));
#else
  typedef uint8_t bytes __attribute__((vector_size(W)));
  const bytes b = __builtin_convertvector(v, bytes);
  if (n >= W) {
    std::memcpy(p, &b, W);
  } else {
    for (int64_t i = 0; i < n; ++i) p[i] = b[i];
  }
#endif
}

// The first n unsigned bytes, W at most; the others read as 0.
CREMA_INLINE veci some_bytes(const uint8_t* p, int64_t n) {
#if defined(__AVX512F__)
  if (n >= W) return (veci)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return (veci)_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << n) - 1), p));
#else
  typedef uint8_t bytes __attribute__((vector_size(W)));
  bytes b{};
  if (n >= W) {
    std::memcpy(&b, p, W);
  } else {
    for (int64_t i = 0; i < n; ++i) b[i] = p[i];
  }
  return __builtin_convertvector(b, veci);
#endif
}

// a b + c with one rounding, at every instruction set.
CREMA_INLINE vec once_rounded(vec a, vec b, vec c) {
#if defined(CREMA_FUSED)
  return fused(a, b, c);
#else
  for (int i = 0; i < W; ++i) c[i] = std::fma(a[i], b[i], c[i]);
  return c;
#endif
}

#if defined(__AVX512F__)
// The nearest whole numbers, half to even; the least int32 where they are none.
CREMA_INLINE veci to_nearest(vec x) {
  return (veci)_mm512_cvt_roundps_epi32((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
#endif

// The nearest whole numbers, half to even, of x between two whole numbers; NaN gives the lower one.
CREMA_INLINE veci to_nearest(vec x, vec low, vec high) {
#if defined(__AVX512F__)
  return to_nearest(at_most(at_least(low, x), high));  // at_least gives its second operand where one is NaN
#else
  x = x > low ? x : low;
  return to_int(vround(x < high ? x : high));
#endif
}

}  // namespace CREMA_ISA
}  // namespace crema
