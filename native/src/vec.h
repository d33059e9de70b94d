// vec.h: the widest float vector of the instruction set a file is compiled for, and functions on it.
// Compilers' vector types do the arithmetic (a * b + c contracts to a fused multiply-add); intrinsics
// stand only where a compiler has no operator for it. Everything is in the namespace of the
// instruction set, so that no linker can pick an AVX-512 copy of an inline function for an old machine.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernel.h"

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace crema {
namespace CREMA_ISA {

#if defined(__AVX512F__)
constexpr int W = 16;
#elif defined(__AVX2__)
constexpr int W = 8;
#elif defined(__ARM_NEON)
constexpr int W = 4;
#else
constexpr int W = 1;
#endif

#define CREMA_INLINE static inline __attribute__((always_inline, unused))

typedef float vec __attribute__((vector_size(4 * W)));
typedef int32_t veci __attribute__((vector_size(4 * W)));
typedef float vec_memory __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int32_t veci_memory __attribute__((vector_size(4 * W), aligned(4), may_alias));

CREMA_INLINE vec load(const float* p) { return *reinterpret_cast<const vec_memory*>(p); }
CREMA_INLINE void store(float* p, vec v) { *reinterpret_cast<vec_memory*>(p) = v; }
CREMA_INLINE veci loadi(const int32_t* p) { return *reinterpret_cast<const veci_memory*>(p); }
CREMA_INLINE vec broadcast(float x) { return x - vec{}; }
CREMA_INLINE veci broadcasti(int32_t x) { return x + veci{}; }

// The first n < W elements; the others read as zero.
CREMA_INLINE vec load_n(const float* p, int64_t n) {
#if defined(__AVX512F__)
  return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
  vec v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}
CREMA_INLINE void store_n(float* p, vec v, int64_t n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
#endif
}

CREMA_INLINE vec as_float(veci v) { return (vec)v; }
CREMA_INLINE veci as_int(vec v) { return (veci)v; }
CREMA_INLINE vec to_float(veci v) { return __builtin_convertvector(v, vec); }
CREMA_INLINE veci to_int(vec v) { return __builtin_convertvector(v, veci); }  // towards zero
CREMA_INLINE vec select(veci mask, vec yes, vec no) { return as_float((mask & as_int(yes)) | (~mask & as_int(no))); }

// NaN wins in both: a comparison with NaN is false, so the operand that may be NaN stands second.
CREMA_INLINE vec vmax(vec a, vec b) { return a > b ? a : (a != a ? a : b); }
CREMA_INLINE vec vmin(vec a, vec b) { return a < b ? a : (a != a ? a : b); }
// x where it is greater than the constant c, else c; NaN in x stays. One instruction on x86.
CREMA_INLINE vec at_least(vec x, vec c) {
#if defined(__AVX512F__)
  return (vec)_mm512_max_ps((__m512)c, (__m512)x);
#elif defined(__AVX2__)
  return (vec)_mm256_max_ps((__m256)c, (__m256)x);
#else
  return c > x ? c : x;
#endif
}
CREMA_INLINE vec at_most(vec x, vec c) {
#if defined(__AVX512F__)
  return (vec)_mm512_min_ps((__m512)c, (__m512)x);
#elif defined(__AVX2__)
  return (vec)_mm256_min_ps((__m256)c, (__m256)x);
#else
  return c < x ? c : x;
#endif
}
CREMA_INLINE vec vabs(vec x) { return as_float(as_int(x) & broadcasti(0x7fffffff)); }
CREMA_INLINE vec vsqrt(vec x) {
#if defined(__AVX512F__)
  return (vec)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (vec)_mm256_sqrt_ps((__m256)x);
#else
  for (int i = 0; i < W; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}
// Nearest integer, half to even.
CREMA_INLINE vec vround(vec x) {
#if defined(__AVX512F__)
  return (vec)_mm512_roundscale_ps((__m512)x, 0x08);
#elif defined(__AVX2__)
  return (vec)_mm256_round_ps((__m256)x, 0x08);
#else
  for (int i = 0; i < W; ++i) x[i] = __builtin_rintf(x[i]);
  return x;
#endif
}

CREMA_INLINE float hsum(vec v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)v);
#else
  float s = 0;
  for (int i = 0; i < W; ++i) s += v[i];
  return s;
#endif
}
CREMA_INLINE float hmax(vec v) {
  float m = v[0];
  for (int i = 1; i < W; ++i) m = (v[i] > m || v[i] != v[i]) ? v[i] : m;
  return m;
}

// e^x, relative error below 2 ulp: x = k ln 2 + r, |r| <= ln 2 / 2, polynomial of degree 6 (Taylor with
// minimax-adjusted end), 2^k by the exponent field in two steps so that the ends stay exact. Below
// -104 gives 0, above 88.73 infinity, NaN stays NaN.
CREMA_INLINE vec vexp(vec x) {
  const vec k = vround(at_most(at_least(x, broadcast(-104.0f)), broadcast(89.0f)) * 1.44269504088896341f);
  vec r = x - k * 0.693359375f;
  r = r - k * -2.12194440e-4f;
  vec p = broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const veci ki = to_int(select(k == k, k, vec{}));
  const veci half = ki >> 1;
  const vec s1 = as_float((half + 127) << 23);
  const vec s2 = as_float((ki - half + 127) << 23);
  vec y = (p * s1) * s2;
  y = select(x > 88.72284f, broadcast(INFINITY), y);
  y = select(x < -103.9f, vec{}, y);
  return select(x == x, y, x);
}

// Natural logarithm, relative error below 2 ulp (Cephes' polynomial on [sqrt(1/2), sqrt 2)); 0 gives
// -infinity, negative NaN, infinity infinity. Denormals count as zero.
CREMA_INLINE vec vlog(vec x) {
  const veci bits = as_int(x);
  veci e = ((bits >> 23) & 0xff) - 126;
  vec m = as_float((bits & 0x007fffff) | 0x3f000000);  // [0.5, 1)
  const veci small = m < 0.707106781186547524f;
  e = e + small;  // a true comparison is -1
  m = select(small, m + m, m) - 1.0f;
  const vec z = m * m;
  vec p = broadcast(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const vec ef = to_float(e);
  vec y = p * m * z;
  y = y + ef * -2.12194440e-4f;
  y = y - 0.5f * z;
  y = m + y;
  y = y + ef * 0.693359375f;
  y = select(x < 1.17549435e-38f, broadcast(-INFINITY), y);
  y = select(x < 0.0f, broadcast(NAN), y);
  y = select(x == broadcast(INFINITY), x, y);
  return select(x == x, y, x);
}

// tanh: odd rational-free form through e^-2|x|; a polynomial near 0 keeps the relative error small there.
CREMA_INLINE vec vtanh(vec x) {
  const vec a = vabs(x);
  const vec t = vexp(-2.0f * at_most(a, broadcast(10.0f)));
  vec big = (1.0f - t) / (1.0f + t);
  const vec z = x * x;
  vec p = broadcast(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const vec near = a + a * z * p;
  vec y = select(a < 0.625f, near, big);
  y = as_float(as_int(y) | (as_int(x) & broadcasti(static_cast<int32_t>(0x80000000u))));
  return select(x == x, y, x);
}

CREMA_INLINE vec vsigmoid(vec x) {
  // 1 / (1 + e^-|x|) mirrored for negative x, so that neither side loses digits.
  const vec t = vexp(-vabs(x));
  const vec d = 1.0f / (1.0f + t);
  return select(x == x, select(x < 0.0f, t * d, d), x);
}

// Applies f to vectors of p -> y over n floats; f also sees the tail, padded with zeros.
template <typename F>
CREMA_INLINE void each(const float* a, float* y, int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, f(load(a + i)));
  if (i < n) store_n(y + i, f(load_n(a + i, n - i)), n - i);
}
template <typename F>
CREMA_INLINE void each(const float* a, const float* b, float* y, int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, f(load(a + i), load(b + i)));
  if (i < n) store_n(y + i, f(load_n(a + i, n - i), load_n(b + i, n - i)), n - i);
}
template <typename F>
CREMA_INLINE void each(const float* a, const float* b, const float* c, float* y, int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, f(load(a + i), load(b + i), load(c + i)));
  if (i < n) store_n(y + i, f(load_n(a + i, n - i), load_n(b + i, n - i), load_n(c + i, n - i)), n - i);
}

}  // namespace CREMA_ISA
}  // namespace crema
