// avx512.h: the instructions of AVX-512 (F, BW, DQ, VL, VNNI, BF16) and of AVX-VNNI that the kernels name, in plain C++,
// so that every kernel runs on a processor that has AVX2 alone; those of AMX stand in amx.h. Included ahead of every
// kernel's source by the build option CREMA_EMULATE, for tests: each function does element by element what Intel's manual
// says of the instruction. What compilers make of vector types needs no help. Approximations are as bad as the manual
// allows.
#pragma once

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

// Not inlined, which would take a compiler minutes a file. Vectors come by reference: GCC 12 loses stack with each call
// that gets one wider than its registers by value.
#define CREMA_EMULATED static __attribute__((noinline, unused))

namespace crema_emulated {

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef int64_t i64x8 __attribute__((vector_size(64)));
typedef uint64_t u64x8 __attribute__((vector_size(64)));
typedef int16_t i16x32 __attribute__((vector_size(64)));
typedef uint16_t u16x32 __attribute__((vector_size(64)));
typedef int8_t i8x64 __attribute__((vector_size(64)));
typedef uint8_t u8x64 __attribute__((vector_size(64)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int8_t i8x32 __attribute__((vector_size(32)));
typedef uint8_t u8x32 __attribute__((vector_size(32)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef float f32x8 __attribute__((vector_size(32)));
typedef float any_f32x16 __attribute__((vector_size(64), aligned(4), may_alias));

// Memory.
CREMA_EMULATED __m512 load_ps(const void* p) { return *static_cast<const __m512*>(p); }  // faults where not aligned
CREMA_EMULATED __m512 loadu_ps(const void* p) { return (__m512) * static_cast<const any_f32x16*>(p); }
CREMA_EMULATED __m512i load_si512(const void* p) { return *static_cast<const __m512i*>(p); }
CREMA_EMULATED void stream_ps(void* p, const __m512& v) { *static_cast<__m512*>(p) = v; }
CREMA_EMULATED __m512 mask_loadu_ps(const __m512& rest, __mmask16 mask, const void* p) {
  f32x16 r = (f32x16)rest;
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) r[i] = static_cast<const float*>(p)[i];
  }
  return (__m512)r;
}
CREMA_EMULATED void mask_storeu_ps(void* p, __mmask16 mask, const __m512& v) {
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) static_cast<float*>(p)[i] = ((f32x16)v)[i];
  }
}
CREMA_EMULATED __m128i maskz_loadu_epi8_128(__mmask16 mask, const void* p) {
  u8x16 r{};
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) r[i] = static_cast<const uint8_t*>(p)[i];
  }
  return (__m128i)r;
}
CREMA_EMULATED __m512i maskz_loadu_epi8(__mmask64 mask, const void* p) {
  u8x64 r{};
  for (int i = 0; i < 64; ++i) {
    if (mask >> i & 1) r[i] = static_cast<const uint8_t*>(p)[i];
  }
  return (__m512i)r;
}
CREMA_EMULATED void mask_storeu_epi8(void* p, __mmask16 mask, __m128i v) {
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) static_cast<uint8_t*>(p)[i] = ((u8x16)v)[i];
  }
}

// The same of all elements, and elements by name.
CREMA_EMULATED __m512i set1_epi32(int32_t x) { return (__m512i)(x - i32x16{}); }
CREMA_EMULATED __m512i set1_epi64(int64_t x) { return (__m512i)(x - i64x8{}); }
template <typename... T>
CREMA_EMULATED __m512i setr_epi32(T... x) {
  return (__m512i)i32x16{static_cast<int32_t>(x)...};
}
template <typename... T>
CREMA_EMULATED __m512 setr_ps(T... x) {
  return (__m512)f32x16{static_cast<float>(x)...};
}

// Floats. Of two of which one is NaN, or of two zeros, the second is given.
CREMA_EMULATED __m512 max_ps(const __m512& a, const __m512& b) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = ((f32x16)a)[i] > ((f32x16)b)[i] ? ((f32x16)a)[i] : ((f32x16)b)[i];
  return (__m512)r;
}
CREMA_EMULATED __m512 min_ps(const __m512& a, const __m512& b) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = ((f32x16)a)[i] < ((f32x16)b)[i] ? ((f32x16)a)[i] : ((f32x16)b)[i];
  return (__m512)r;
}
CREMA_EMULATED __m512 sqrt_ps(const __m512& x) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = __builtin_sqrtf(((f32x16)x)[i]);
  return (__m512)r;
}
CREMA_EMULATED __m512 fmadd_ps(const __m512& a, const __m512& b, const __m512& c) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = __builtin_fmaf(((f32x16)a)[i], ((f32x16)b)[i], ((f32x16)c)[i]);
  return (__m512)r;
}
// Cut off behind 14 bits: an error of up to 2^-14.
CREMA_EMULATED float to_14_bits(float x) {
  if (!std::isfinite(x)) return x;
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  bits &= 0xfffffe00u;
  std::memcpy(&x, &bits, 4);
  return x;
}
CREMA_EMULATED __m512 rcp14_ps(const __m512& x) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = to_14_bits(1.0f / ((f32x16)x)[i]);
  return (__m512)r;
}
CREMA_EMULATED __m512 rsqrt14_ps(const __m512& x) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = to_14_bits(1.0f / __builtin_sqrtf(((f32x16)x)[i]));
  return (__m512)r;
}
// To a whole number: control 8 is to the nearest, half to even, without an exception.
template <int Control>
CREMA_EMULATED __m512 roundscale_ps(const __m512& x) {
  static_assert(Control == 8, "no other control is emulated");
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = __builtin_nearbyintf(((f32x16)x)[i]);
  return (__m512)r;
}
// a times 2 to the power of what is whole of b.
CREMA_EMULATED __m512 scalef_ps(const __m512& a, const __m512& b) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) {
    const float x = ((f32x16)a)[i], power = std::floor(((f32x16)b)[i]);
    if (std::isnan(x) || std::isnan(power)) {
      r[i] = x + power;
    } else {
      const float most = 1000, bounded = power > most ? most : power < -most ? -most : power;
      r[i] = static_cast<float>(std::ldexp(static_cast<double>(x), static_cast<int>(bounded)));
    }
  }
  return (__m512)r;
}
// Halves of halves of halves.
CREMA_EMULATED float reduce_add_ps(const __m512& v) {
  float s[16];
  std::memcpy(s, &v, sizeof s);
  for (int n = 8; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) s[i] += s[i + n];
  }
  return s[0];
}
CREMA_EMULATED float reduce_max_ps(const __m512& v) {
  float s[16];
  std::memcpy(s, &v, sizeof s);
  for (int n = 8; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) s[i] = s[i] > s[i + n] ? s[i] : s[i + n];
  }
  return s[0];
}
template <int Predicate>
CREMA_EMULATED __mmask16 cmp_ps_mask(const __m512& a, const __m512& b) {
  static_assert(Predicate == _CMP_UNORD_Q, "no other predicate is emulated");
  unsigned mask = 0;
  for (int i = 0; i < 16; ++i) mask |= static_cast<unsigned>(std::isunordered(((f32x16)a)[i], ((f32x16)b)[i])) << i;
  return static_cast<__mmask16>(mask);
}
CREMA_EMULATED __m512 mask_mov_ps(const __m512& rest, __mmask16 mask, const __m512& v) {
  f32x16 r = (f32x16)rest;
  for (int i = 0; i < 16; ++i) {
    if (mask >> i & 1) r[i] = ((f32x16)v)[i];
  }
  return (__m512)r;
}

// Elements in another order.
CREMA_EMULATED __m512 permutexvar_ps(const __m512i& index, const __m512& v) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = ((f32x16)v)[((i32x16)index)[i] & 15];
  return (__m512)r;
}
CREMA_EMULATED __m512 permutex2var_ps(const __m512& a, const __m512i& index, const __m512& b) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) {
    const int at = ((i32x16)index)[i] & 31;
    r[i] = at < 16 ? ((f32x16)a)[at] : ((f32x16)b)[at - 16];
  }
  return (__m512)r;
}
CREMA_EMULATED __m512i permutexvar_epi16(const __m512i& index, const __m512i& v) {
  u16x32 r;
  for (int i = 0; i < 32; ++i) r[i] = ((u16x32)v)[((u16x32)index)[i] & 31];
  return (__m512i)r;
}
// Within each 16 bytes; zero where the index is negative.
CREMA_EMULATED __m512i shuffle_epi8(const __m512i& v, const __m512i& index) {
  u8x64 r;
  for (int i = 0; i < 64; ++i) {
    const int at = ((u8x64)index)[i];
    r[i] = at & 0x80 ? uint8_t{0} : ((u8x64)v)[i / 16 * 16 + (at & 15)];
  }
  return (__m512i)r;
}
CREMA_EMULATED __m512i mask_blend_epi32(__mmask16 mask, const __m512i& a, const __m512i& b) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = mask >> i & 1 ? ((i32x16)b)[i] : ((i32x16)a)[i];
  return (__m512i)r;
}
// What the processor leaves undefined is NaN here.
CREMA_EMULATED __m512 castps256_ps512(__m256 v) {
  f32x16 r = NAN - f32x16{};
  for (int i = 0; i < 8; ++i) r[i] = ((f32x8)v)[i];
  return (__m512)r;
}
CREMA_EMULATED __m256 castps512_ps256(const __m512& v) {
  f32x8 r;
  for (int i = 0; i < 8; ++i) r[i] = ((f32x16)v)[i];
  return (__m256)r;
}
template <int Half>
CREMA_EMULATED __m512 insertf32x8(const __m512& v, __m256 half) {
  f32x16 r = (f32x16)v;
  for (int i = 0; i < 8; ++i) r[8 * Half + i] = ((f32x8)half)[i];
  return (__m512)r;
}
template <int Half>
CREMA_EMULATED __m256 extractf32x8_ps(const __m512& v) {
  f32x8 r;
  for (int i = 0; i < 8; ++i) r[i] = ((f32x16)v)[8 * Half + i];
  return (__m256)r;
}

// Whole numbers.
CREMA_EMULATED __m512i srli_epi64(const __m512i& v, unsigned n) { return (__m512i)((u64x8)v >> (n - u64x8{})); }
CREMA_EMULATED __m512i slli_epi64(const __m512i& v, unsigned n) { return (__m512i)((u64x8)v << (n - u64x8{})); }
CREMA_EMULATED __m512i mul_epu32(const __m512i& a, const __m512i& b) {
  const u64x8 low = 0xffffffffull - u64x8{};
  return (__m512i)(((u64x8)a & low) * ((u64x8)b & low));
}
CREMA_EMULATED __m512i madd_epi16(const __m512i& a, const __m512i& b) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) {
    const int64_t sum = int64_t{((i16x32)a)[2 * i]} * ((i16x32)b)[2 * i] +
                        int64_t{((i16x32)a)[2 * i + 1]} * ((i16x32)b)[2 * i + 1];
    r[i] = static_cast<int32_t>(static_cast<uint32_t>(sum));
  }
  return (__m512i)r;
}
CREMA_EMULATED __m512i adds_epi16(const __m512i& a, const __m512i& b) {
  i16x32 r;
  for (int i = 0; i < 32; ++i) {
    const int sum = ((i16x32)a)[i] + ((i16x32)b)[i];
    r[i] = static_cast<int16_t>(sum < -32768 ? -32768 : sum > 32767 ? 32767 : sum);
  }
  return (__m512i)r;
}
// Half of each 16 bytes from a, half from b, saturated.
CREMA_EMULATED __m512i packs_epi32(const __m512i& a, const __m512i& b) {
  i16x32 r;
  for (int i = 0; i < 32; ++i) {
    const int from = i / 8 * 4 + i % 4, v = i % 8 < 4 ? ((i32x16)a)[from] : ((i32x16)b)[from];
    r[i] = static_cast<int16_t>(v < -32768 ? -32768 : v > 32767 ? 32767 : v);
  }
  return (__m512i)r;
}
CREMA_EMULATED __m512i packus_epi16(const __m512i& a, const __m512i& b) {
  u8x64 r;
  for (int i = 0; i < 64; ++i) {
    const int from = i / 16 * 8 + i % 8, v = i % 16 < 8 ? ((i16x32)a)[from] : ((i16x32)b)[from];
    r[i] = static_cast<uint8_t>(v < 0 ? 0 : v > 255 ? 255 : v);
  }
  return (__m512i)r;
}
CREMA_EMULATED __m512i permutexvar_epi32(const __m512i& index, const __m512i& v) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = ((i32x16)v)[((i32x16)index)[i] & 15];
  return (__m512i)r;
}
// To the nearest, half to even; what is no int32 becomes the least one.
CREMA_EMULATED __m512i to_nearest_epi32(const __m512& x) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) {
    const float v = __builtin_rintf(((f32x16)x)[i]);
    r[i] = v >= -0x1p31f && v < 0x1p31f ? static_cast<int32_t>(v) : INT32_MIN;
  }
  return (__m512i)r;
}
CREMA_EMULATED __m512i cvtepi8_epi16(__m256i v) {
  i16x32 r;
  for (int i = 0; i < 32; ++i) r[i] = ((i8x32)v)[i];
  return (__m512i)r;
}
CREMA_EMULATED __m512i cvtepi8_epi32(__m128i v) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = ((i8x16)v)[i];
  return (__m512i)r;
}
CREMA_EMULATED __m512i cvtepu8_epi32(__m128i v) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) r[i] = ((u8x16)v)[i];
  return (__m512i)r;
}
CREMA_EMULATED __m128i cvtepi32_epi8(const __m512i& v) {
  u8x16 r;
  for (int i = 0; i < 16; ++i) r[i] = static_cast<uint8_t>(((u32x16)v)[i]);
  return (__m128i)r;
}
CREMA_EMULATED __m512 cvtepi32_ps(const __m512i& v) { return (__m512)__builtin_convertvector((i32x16)v, f32x16); }

// VNNI: four unsigned bytes by four signed ones, added without saturation.
CREMA_EMULATED int32_t dot(int32_t sum, const uint8_t* a, const int8_t* b) {
  int64_t all = sum;
  for (int i = 0; i < 4; ++i) all += a[i] * b[i];
  return static_cast<int32_t>(static_cast<uint32_t>(all));
}
CREMA_EMULATED __m512i dpbusd_epi32(const __m512i& sum, const __m512i& a, const __m512i& b) {
  i32x16 r = (i32x16)sum;
  uint8_t x[64];
  int8_t y[64];
  std::memcpy(x, &a, 64);
  std::memcpy(y, &b, 64);
  for (int i = 0; i < 16; ++i) r[i] = dot(r[i], x + 4 * i, y + 4 * i);
  return (__m512i)r;
}
CREMA_EMULATED __m256i dpbusd_avx_epi32(__m256i sum, __m256i a, __m256i b) {
  i32x8 r = (i32x8)sum;
  uint8_t x[32];
  int8_t y[32];
  std::memcpy(x, &a, 32);
  std::memcpy(y, &b, 32);
  for (int i = 0; i < 8; ++i) r[i] = dot(r[i], x + 4 * i, y + 4 * i);
  return (__m256i)r;
}

// BF16: to the nearest, half to even; subnormal numbers count as zero, NaN stays one (quiet).
CREMA_EMULATED uint16_t to_bf16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (std::isnan(x)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  if ((bits & 0x7f800000u) == 0) return static_cast<uint16_t>(bits >> 16 & 0x8000);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
CREMA_EMULATED float of_bf16(uint16_t x) {
  const uint32_t bits = (x & 0x7f80) == 0 ? uint32_t{x} << 16 & 0x80000000u : uint32_t{x} << 16;
  float y;
  std::memcpy(&y, &bits, 4);
  return y;
}
// What is low of the result comes from b.
CREMA_EMULATED __m512i cvtne2ps_pbh(const __m512& a, const __m512& b) {
  u16x32 r;
  for (int i = 0; i < 16; ++i) {
    r[i] = to_bf16(((f32x16)b)[i]);
    r[16 + i] = to_bf16(((f32x16)a)[i]);
  }
  return (__m512i)r;
}
// The odd product first, each added without rounding between (fused).
CREMA_EMULATED __m512 dpbf16_ps(const __m512& sum, const __m512i& a, const __m512i& b) {
  f32x16 r = (f32x16)sum;
  for (int i = 0; i < 16; ++i) {
    for (int j = 1; j >= 0; --j) {
      r[i] = __builtin_fmaf(of_bf16(((u16x32)a)[2 * i + j]), of_bf16(((u16x32)b)[2 * i + j]), r[i]);
    }
  }
  return (__m512)r;
}

}  // namespace crema_emulated

// Some of these are macros of the compiler's header where it does not optimise.
#undef _mm512_setr_ps
#undef _mm512_setr_epi32
#undef _mm512_cvt_roundps_epi32
#undef _mm512_roundscale_ps
#undef _mm512_cmp_ps_mask
#undef _mm512_insertf32x8
#undef _mm512_extractf32x8_ps
#undef _mm512_srli_epi64
#undef _mm512_slli_epi64
#define _mm512_load_ps crema_emulated::load_ps
#define _mm512_loadu_ps crema_emulated::loadu_ps
#define _mm512_load_si512 crema_emulated::load_si512
#define _mm512_stream_ps crema_emulated::stream_ps
#define _mm512_mask_loadu_ps crema_emulated::mask_loadu_ps
#define _mm512_mask_storeu_ps crema_emulated::mask_storeu_ps
#define _mm_maskz_loadu_epi8 crema_emulated::maskz_loadu_epi8_128
#define _mm512_maskz_loadu_epi8 crema_emulated::maskz_loadu_epi8
#define _mm_mask_storeu_epi8 crema_emulated::mask_storeu_epi8
#define _mm512_set1_epi32 crema_emulated::set1_epi32
#define _mm512_set1_epi64 crema_emulated::set1_epi64
#define _mm512_setr_ps crema_emulated::setr_ps
#define _mm512_setr_epi32 crema_emulated::setr_epi32
#define _mm512_max_ps crema_emulated::max_ps
#define _mm512_min_ps crema_emulated::min_ps
#define _mm512_sqrt_ps crema_emulated::sqrt_ps
#define _mm512_fmadd_ps crema_emulated::fmadd_ps
#define _mm512_rcp14_ps crema_emulated::rcp14_ps
#define _mm512_rsqrt14_ps crema_emulated::rsqrt14_ps
#define _mm512_roundscale_ps(x, control) crema_emulated::roundscale_ps<control>(x)
#define _mm512_scalef_ps crema_emulated::scalef_ps
#define _mm512_reduce_add_ps crema_emulated::reduce_add_ps
#define _mm512_reduce_max_ps crema_emulated::reduce_max_ps
#define _mm512_cmp_ps_mask(a, b, predicate) crema_emulated::cmp_ps_mask<predicate>(a, b)
#define _mm512_mask_mov_ps crema_emulated::mask_mov_ps
#define _mm512_permutexvar_ps crema_emulated::permutexvar_ps
#define _mm512_permutex2var_ps crema_emulated::permutex2var_ps
#define _mm512_permutexvar_epi16 crema_emulated::permutexvar_epi16
#define _mm512_shuffle_epi8 crema_emulated::shuffle_epi8
#define _mm512_mask_blend_epi32 crema_emulated::mask_blend_epi32
#define _mm512_castps256_ps512 crema_emulated::castps256_ps512
#define _mm512_castps512_ps256 crema_emulated::castps512_ps256
#define _mm512_insertf32x8(v, half, i) crema_emulated::insertf32x8<i>(v, half)
#define _mm512_extractf32x8_ps(v, i) crema_emulated::extractf32x8_ps<i>(v)
#define _mm512_srli_epi64 crema_emulated::srli_epi64
#define _mm512_slli_epi64 crema_emulated::slli_epi64
#define _mm512_mul_epu32 crema_emulated::mul_epu32
#define _mm512_madd_epi16 crema_emulated::madd_epi16
#define _mm512_adds_epi16 crema_emulated::adds_epi16
#define _mm512_packs_epi32 crema_emulated::packs_epi32
#define _mm512_packus_epi16 crema_emulated::packus_epi16
#define _mm512_permutexvar_epi32 crema_emulated::permutexvar_epi32
#define _mm512_cvt_roundps_epi32(x, nearest) crema_emulated::to_nearest_epi32(x)
#define _mm512_cvtepi8_epi16 crema_emulated::cvtepi8_epi16
#define _mm512_cvtepi8_epi32 crema_emulated::cvtepi8_epi32
#define _mm512_cvtepu8_epi32 crema_emulated::cvtepu8_epi32
#define _mm512_cvtepi32_epi8 crema_emulated::cvtepi32_epi8
#define _mm512_cvtepi32_ps crema_emulated::cvtepi32_ps
#define _mm512_dpbusd_epi32 crema_emulated::dpbusd_epi32
#define _mm256_dpbusd_avx_epi32 crema_emulated::dpbusd_avx_epi32
#define _mm512_cvtne2ps_pbh crema_emulated::cvtne2ps_pbh
#define _mm512_dpbf16_ps(sum, a, b) crema_emulated::dpbf16_ps(sum, (__m512i)a, (__m512i)b)

// What the compiler says of the instruction set, as the build asks.
#if CREMA_LEVEL >= 3
#define __AVX512F__ 1
#define __AVX512BW__ 1
#define __AVX512DQ__ 1
#define __AVX512VL__ 1
#endif
#if CREMA_LEVEL >= 4
#define __AVX512VNNI__ 1
#endif
#if CREMA_LEVEL >= 5
#define __AVX512BF16__ 1
#endif
#if CREMA_LEVEL == 2
#define __AVXVNNI__ 1
#endif

#include "amx.h"
