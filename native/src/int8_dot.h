// int8_dot.h: in every lane, the product of four unsigned and four signed bytes added to an int32: with the VNNI or
// dot-product instructions where there are, else widened to 16 bits, where no sum of two products saturates.
#pragma once

#include "int8.h"

namespace crema {
namespace CREMA_ISA {

#if defined(__AVX512VNNI__)
using Left = veci;   // four bytes of x in every lane
using Right = veci;  // four weights of W columns
constexpr int kInt8Rows = 14;

CREMA_INLINE Left left(int32_t bytes) { return broadcasti(bytes); }
CREMA_INLINE Right right(veci weights) { return weights; }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  return (veci)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
}
#elif defined(__AVXVNNI__)
using Left = veci;
using Right = veci;
constexpr int kInt8Rows = 6;

CREMA_INLINE Left left(int32_t bytes) { return broadcasti(bytes); }
CREMA_INLINE Right right(veci weights) { return weights; }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  return (veci)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)a, (__m256i)b);
}
#elif defined(__AVX2__)
typedef uint32_t veca __attribute__((vector_size(4 * W)));
typedef int16_t vech __attribute__((vector_size(4 * W)));
struct Pairs {
  veci even, odd;  // bytes 0 and 2, 1 and 3, as int16
};
using Left = Pairs;
using Right = Pairs;
#if defined(__AVX512F__)
constexpr int kInt8Rows = 10;
#else
constexpr int kInt8Rows = 4;
#endif

CREMA_INLINE Left left(int32_t bytes) {
  const veca all = (veca)broadcasti(bytes);
  return {(veci)(all & 0x00ff00ffu), (veci)((all >> 8) & 0x00ff00ffu)};
}
CREMA_INLINE Right right(veci weights) {
  const vech all = (vech)weights;
  return {(veci)((all << 8) >> 8), (veci)(all >> 8)};
}
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
#if defined(__AVX512F__)
  const veci even = (veci)_mm512_madd_epi16((__m512i)a.even, (__m512i)b.even);
  const veci odd = (veci)_mm512_madd_epi16((__m512i)a.odd, (__m512i)b.odd);
#else
  const veci even = (veci)_mm256_madd_epi16((__m256i)a.even, (__m256i)b.even);
  const veci odd = (veci)_mm256_madd_epi16((__m256i)a.odd, (__m256i)b.odd);
#endif
  return sum + (even + odd);
}
#elif defined(__ARM_NEON)
using Left = int8x16_t;
using Right = int8x16_t;
constexpr int kInt8Rows = 8;

CREMA_INLINE Left left(int32_t bytes) {
  return vreinterpretq_s8_u32(vdupq_n_u32(static_cast<uint32_t>(bytes) ^ 0x80808080u));
}
CREMA_INLINE Right right(veci weights) { return (int8x16_t)weights; }
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
CREMA_INLINE Right right(veci weights) { return weights[0]; }
CREMA_INLINE veci dot(veci sum, Left a, Right b) {
  int32_t s = sum[0];
  for (int i = 0; i < kGroup; ++i) s += (a >> (8 * i) & 0xff) * static_cast<int8_t>(b >> (8 * i));
  return veci{s};
}
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

// The nearest whole numbers, half to even, of x between two whole numbers; NaN gives the lower one.
CREMA_INLINE veci to_nearest(vec x, vec low, vec high) {
  x = x > low ? x : low;
  return to_int(vround(x < high ? x : high));
}

}  // namespace CREMA_ISA
}  // namespace crema
