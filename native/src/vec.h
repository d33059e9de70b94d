// vec.h: the widest float vector of the instruction set a file is compiled for, and what every kernel does
// with it (functions such as exp stand in vec_math.h).
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
#elif defined(__ARM_NEON)
#include <arm_neon.h>
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
#define CREMA_LAMBDA __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * W)));
typedef int32_t veci __attribute__((vector_size(4 * W)));
typedef float vec_memory __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int32_t veci_memory __attribute__((vector_size(4 * W), aligned(4), may_alias));

CREMA_INLINE vec load(const float* p) { return *reinterpret_cast<const vec_memory*>(p); }
CREMA_INLINE void store(float* p, vec v) { *reinterpret_cast<vec_memory*>(p) = v; }
CREMA_INLINE veci loadi(const int32_t* p) { return *reinterpret_cast<const veci_memory*>(p); }
CREMA_INLINE vec broadcast(float x) { return x - vec{}; }
CREMA_INLINE veci broadcasti(int32_t x) { return x + veci{}; }

#if defined(__AVX2__) && !defined(__AVX512F__)
CREMA_INLINE __m256i first_n(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

// Keeps v in a register here: compilers can neither merge what computes it with what follows nor load it anew.
#if defined(CREMA_EMULATE)  // there is no register as wide
#define CREMA_STAYS(v)
#elif defined(__AVX2__)
#define CREMA_STAYS(v) __asm__("" : "+v"(v))
#elif defined(__ARM_NEON)
#define CREMA_STAYS(v) __asm__("" : "+w"(v))
#else
#define CREMA_STAYS(v)
#endif

// The first n <= W elements; the others read as `rest`.
CREMA_INLINE vec load_n(const float* p, int64_t n, vec rest = vec{}) {
#if defined(__AVX512F__)
  return (vec)_mm512_mask_loadu_ps((__m512)rest, (__mmask16)((1u << n) - 1), p);
#elif defined(__AVX2__)
  const __m256i mask = first_n(n);
  return (vec)_mm256_blendv_ps((__m256)rest, _mm256_maskload_ps(p, mask), (__m256)mask);
#else
  for (int64_t i = 0; i < n; ++i) rest[i] = p[i];
  return rest;
#endif
}
CREMA_INLINE void store_n(float* p, vec v, int64_t n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(p, first_n(n), (__m256)v);
#else
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
#endif
}

// Asks for a cache line that is read, or written, soon: rows of a few kilobytes are too short for the processor to
// foresee the next one, and what it foresees comes late (softmax of 4096 rows of 1024: 1.5 times as fast on Zen 5,
// gelu of them 1.2 times). Any address will do.
CREMA_INLINE void fetch(const float* p) { __builtin_prefetch(p); }
CREMA_INLINE void fetch_to_write(const float* p) { __builtin_prefetch(p, 1); }

// Writes a whole vector at a multiple of its size past the cache: what is too big to be found there later costs no
// line read first, and drives out nothing (a copy of 16 MB: 1.8 times as fast on Zen 5). streamed() ends a series.
#if defined(__AVX512F__)
CREMA_INLINE void stream(float* p, vec v) { _mm512_stream_ps(p, (__m512)v); }
CREMA_INLINE void streamed() { _mm_sfence(); }
#elif defined(__AVX2__)
CREMA_INLINE void stream(float* p, vec v) { _mm256_stream_ps(p, (__m256)v); }
CREMA_INLINE void streamed() { _mm_sfence(); }
#else
CREMA_INLINE void stream(float* p, vec v) { store(p, v); }
CREMA_INLINE void streamed() {}
#endif
constexpr int64_t kFarFloats = 1 << 17;            // of a result that is read from as many
constexpr int64_t kPastFloats = int64_t{2} << 20;  // what a core has of the last cache, about
CREMA_INLINE bool is_aligned(const float* p) { return reinterpret_cast<uintptr_t>(p) % (sizeof(float) * W) == 0; }
// Of n floats y in rows of `row` floats, each of which must be whole vectors to be streamed, and not from x in place.
CREMA_INLINE Place place_of(const float* x, const float* y, int64_t n, int64_t row) {
  if (n < kFarFloats) return Place::kNear;
  return n >= kPastFloats && row % W == 0 && is_aligned(y) && x != y ? Place::kPast : Place::kFar;
}

// The first n elements, W at most: whole vectors need no mask.
CREMA_INLINE vec some(const float* p, int64_t n) { return n >= W ? load(p) : load_n(p, n); }
CREMA_INLINE void put(float* p, vec v, int64_t n) {
  if (n >= W) {
    store(p, v);
  } else {
    store_n(p, v, n);
  }
}
CREMA_INLINE vec as_float(veci v) { return (vec)v; }
CREMA_INLINE veci as_int(vec v) { return (veci)v; }
CREMA_INLINE vec to_float(veci v) { return __builtin_convertvector(v, vec); }
CREMA_INLINE veci to_int(vec v) { return __builtin_convertvector(v, veci); }  // towards zero
// A comparison gives a mask: -1 where true, 0 where false.
CREMA_INLINE vec select(veci mask, vec yes, vec no) { return mask ? yes : no; }
CREMA_INLINE vec one_if(veci mask) { return select(mask, broadcast(1.0f), vec{}); }

// NaN wins in both: a comparison with NaN is false, so the operand that may be NaN stands second.
CREMA_INLINE vec vmax(vec a, vec b) {
#if defined(__AVX512F__)
  const __m512 m = _mm512_max_ps((__m512)a, (__m512)b);  // b where one is NaN
  return (vec)_mm512_mask_mov_ps(m, _mm512_cmp_ps_mask((__m512)a, (__m512)a, _CMP_UNORD_Q), (__m512)a);
#else
  return a > b ? a : (a != a ? a : b);
#endif
}
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
CREMA_INLINE vec within(vec x, float limit) { return at_most(at_least(x, broadcast(-limit)), broadcast(limit)); }
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
// a b + c with one rounding, where the instruction set has it. a * b + c may or may not be rounded twice.
#if defined(__AVX512F__)
#define CREMA_FUSED
CREMA_INLINE vec fused(vec a, vec b, vec c) { return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
#elif defined(__AVX2__)
#define CREMA_FUSED
CREMA_INLINE vec fused(vec a, vec b, vec c) { return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
#elif defined(__ARM_NEON)
#define CREMA_FUSED
CREMA_INLINE vec fused(vec a, vec b, vec c) { return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
#endif
// The same, but rounded twice where the instruction set lacks it: alike wherever it stands, for sums of two products, of
// which a compiler may fuse either.
CREMA_INLINE vec multiply_add(vec a, vec b, vec c) {
#if defined(CREMA_FUSED)
  return fused(a, b, c);
#elif defined(__FP_FAST_FMAF)
  for (int i = 0; i < W; ++i) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
#else
  return a * b + c;
#endif
}
// 1 / x for x whose reciprocal is a normal number, at most 1 ulp: division is the slowest instruction of a kernel.
CREMA_INLINE vec reciprocal(vec x) {
#if defined(__AVX512F__)
  // A step of Newton's from 14 bits; the error must not be rounded before it is used, so both are fused.
  const vec r = (vec)_mm512_rcp14_ps((__m512)x);
  return fused(r, fused(-x, r, broadcast(1.0f)), r);
#else
  return 1.0f / x;
#endif
}
// The square root of a normal number, at most 1 ulp; of what is smaller or greater, that of the nearest normal number:
// the square root proper is as slow as a division.
CREMA_INLINE vec sqrt_of_normal(vec x) {
#if defined(__AVX512F__)
  x = at_most(at_least(x, broadcast(1.17549435e-38f)), broadcast(3.40282347e38f));
  const vec r = (vec)_mm512_rsqrt14_ps((__m512)x), s = x * r;
  return fused(fused(-s, s, x), 0.5f * r, s);  // a step of Newton's from 14 bits
#else
  return vsqrt(x);
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
#elif defined(__AVX2__)
  __m128 s = _mm_add_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
#else
  float s = 0;
  for (int i = 0; i < W; ++i) s += v[i];
  return s;
#endif
}
// Largest element; NaN if there is one.
CREMA_INLINE float hmax(vec v) {
#if defined(__AVX512F__)
  if (_mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q) != 0) return NAN;
  return _mm512_reduce_max_ps((__m512)v);
#elif defined(__AVX2__)
  if (_mm256_movemask_ps(_mm256_cmp_ps((__m256)v, (__m256)v, _CMP_UNORD_Q)) != 0) return NAN;
  __m128 m = _mm_max_ps(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
#else
  float m = v[0];
  for (int i = 1; i < W; ++i) m = (v[i] > m || v[i] != v[i]) ? v[i] : m;
  return m;
#endif
}
CREMA_INLINE float hmin(vec v) { return -hmax(-v); }

}  // namespace CREMA_ISA
}  // namespace crema

#include "vec_math.h"

namespace crema {
namespace CREMA_ISA {

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
