// storage.cuh: numbers as they lie in memory: float32, bfloat16 or float16. Kernels compute in float32. What they store in 16 bits is
// rounded to the nearest, half to even; beyond the range it is infinity, and NaN is the one NaN 0x7fff, which the card's cvt.rn makes.
//
// Memory is read and written in packs of 16 bytes - four float32, eight 16-bit numbers - where pointers allow it, with the same
// bits either way.
#pragma once

#include "common.cuh"

struct bf16 {
  u16 bits;
};
struct f16 {
  u16 bits;
};

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define CREMA_CARD_CONVERTS
#endif

CREMA_DEVICE float to_float(float x) { return x; }
CREMA_DEVICE float to_float(bf16 x) { return __uint_as_float(static_cast<u32>(x.bits) << 16); }
CREMA_DEVICE float to_float(f16 x) {
#if defined(CREMA_CARD_CONVERTS)
  float v;
  asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(x.bits));
  return v;
#else
  const u32 sign = static_cast<u32>(x.bits & 0x8000u) << 16, rest = x.bits & 0x7fffu;
  if (rest < 0x400u) {  // multiples of 2^-24
    return __uint_as_float(sign | __float_as_uint(static_cast<float>(rest) * 5.9604644775390625e-8f));
  }
  return __uint_as_float(sign | ((rest << 13) + (rest >= 0x7c00u ? 0x70000000u : 0x38000000u)));
#endif
}

CREMA_DEVICE u16 bf16_bits(float x) {
#if defined(CREMA_CARD_CONVERTS)
  u16 bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#else
  const u32 bits = __float_as_uint(x);
  return is_nan(x) ? static_cast<u16>(0x7fffu) : static_cast<u16>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
#endif
}
CREMA_DEVICE u16 f16_bits(float x) {
#if defined(CREMA_CARD_CONVERTS)
  u16 bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
#else
  const u32 bits = __float_as_uint(x), sign = bits >> 16 & 0x8000u, rest = bits & 0x7fffffffu;
  if (rest > 0x7f800000u) return static_cast<u16>(0x7fffu);
  if (rest >= 0x47800000u) return static_cast<u16>(sign | 0x7c00u);  // 2^16 and more
  if (rest < 0x38800000u) {  // below 2^-14: the addition rounds to a multiple of 2^-24
    return static_cast<u16>(sign | (__float_as_uint(__uint_as_float(rest) + 0.5f) - 0x3f000000u));
  }
  return static_cast<u16>(sign | ((rest - 0x38000000u + 0xfffu + (rest >> 13 & 1u)) >> 13));
#endif
}

CREMA_DEVICE void put(float* p, float x) { *p = x; }
CREMA_DEVICE void put(bf16* p, float x) { p->bits = bf16_bits(x); }
CREMA_DEVICE void put(f16* p, float x) { p->bits = f16_bits(x); }

// Two numbers in a word, the first in the lower half.
CREMA_DEVICE u32 word_of(float low, float high, bf16) {
#if defined(CREMA_CARD_CONVERTS)
  u32 word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  return word;
#else
  return static_cast<u32>(bf16_bits(low)) | static_cast<u32>(bf16_bits(high)) << 16;
#endif
}
CREMA_DEVICE u32 word_of(float low, float high, f16) {
#if defined(CREMA_CARD_CONVERTS)
  u32 word;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  return word;
#else
  return static_cast<u32>(f16_bits(low)) | static_cast<u32>(f16_bits(high)) << 16;
#endif
}

// --- Packs -------------------------------------------------------------------------------------------------------------------

template <typename T>
constexpr int kPack = 16 / static_cast<int>(sizeof(T));  // numbers in 16 bytes

template <int N>
struct Numbers {
  float v[N];
};

template <int N>
CREMA_DEVICE Numbers<N> all_of(float x) {
  Numbers<N> r;
  CREMA_UNROLL
  for (int i = 0; i < N; ++i) r.v[i] = x;
  return r;
}

// N numbers, a multiple of four, at an address that is aligned to 16 bytes, or to theirs if they are fewer.
template <int N>
CREMA_DEVICE Numbers<N> load_whole(const float* p) {
  Numbers<N> r;
  CREMA_UNROLL
  for (int i = 0; i < N; i += 4) {
    const float4 q = load4(p + i);
    r.v[i] = q.x, r.v[i + 1] = q.y, r.v[i + 2] = q.z, r.v[i + 3] = q.w;
  }
  return r;
}
template <int N, typename T>
CREMA_DEVICE Numbers<N> load_whole(const T* p) {
  Numbers<N> r;
  u32 words[N / 2];
  if (N == 4) {
    const uint2 q = *reinterpret_cast<const uint2*>(p);
    words[0] = q.x, words[1] = q.y;
  } else {
    CREMA_UNROLL
    for (int i = 0; i + 4 <= N / 2; i += 4) {
      const uint4 q = *reinterpret_cast<const uint4*>(p + 2 * i);
      words[i] = q.x, words[i + 1] = q.y, words[i + 2] = q.z, words[i + 3] = q.w;
    }
  }
  CREMA_UNROLL
  for (int i = 0; i < N / 2; ++i) {
    r.v[2 * i] = to_float(T{static_cast<u16>(words[i] & 0xffffu)});
    r.v[2 * i + 1] = to_float(T{static_cast<u16>(words[i] >> 16)});
  }
  return r;
}
template <int N>
CREMA_DEVICE void store_whole(float* p, const Numbers<N>& x) {
  CREMA_UNROLL
  for (int i = 0; i < N; i += 4) store4(p + i, make_float4(x.v[i], x.v[i + 1], x.v[i + 2], x.v[i + 3]));
}
template <int N, typename T>
CREMA_DEVICE void store_whole(T* p, const Numbers<N>& x) {
  u32 words[N / 2];
  CREMA_UNROLL
  for (int i = 0; i < N / 2; ++i) words[i] = word_of(x.v[2 * i], x.v[2 * i + 1], T{});
  if (N == 4) {
    *reinterpret_cast<uint2*>(p) = make_uint2(words[0], words[1]);
  } else {
    CREMA_UNROLL
    for (int i = 0; i + 4 <= N / 2; i += 4) {
      *reinterpret_cast<uint4*>(p + 2 * i) = make_uint4(words[i], words[i + 1], words[i + 2], words[i + 3]);
    }
  }
}

// N numbers at p, of which n are there, the others being `rest`; `whole` says that p is aligned to 16 bytes.
template <int N, typename T>
CREMA_DEVICE Numbers<N> load(const T* p, i64 n, bool whole, float rest) {
  if constexpr (N % 4 == 0) {
    if (whole && n >= N) return load_whole<N>(p);
  }
  Numbers<N> r;
  CREMA_UNROLL
  for (int i = 0; i < N; ++i) r.v[i] = i < n ? to_float(p[i]) : rest;
  return r;
}
template <int N, typename T>
CREMA_DEVICE void store(T* p, const Numbers<N>& x, i64 n, bool whole) {
  if constexpr (N % 4 == 0) {
    if (whole && n >= N) {
      store_whole(p, x);
      return;
    }
  }
  CREMA_UNROLL
  for (int i = 0; i < N; ++i) {
    if (i < n) put(p + i, x.v[i]);
  }
}

template <int N, typename G>
CREMA_DEVICE Numbers<N> map(Numbers<N> x, G g) {
  CREMA_UNROLL
  for (int i = 0; i < N; ++i) x.v[i] = g(x.v[i]);
  return x;
}
template <int N, typename G>
CREMA_DEVICE Numbers<N> map(Numbers<N> x, const Numbers<N>& y, G g) {
  CREMA_UNROLL
  for (int i = 0; i < N; ++i) x.v[i] = g(x.v[i], y.v[i]);
  return x;
}
// Of a multiple of four: pairs first, fours one after the other.
template <int N>
CREMA_DEVICE float sum_of(const Numbers<N>& x) {
  float sum = (x.v[0] + x.v[1]) + (x.v[2] + x.v[3]);
  CREMA_UNROLL
  for (int i = 4; i < N; i += 4) sum += (x.v[i] + x.v[i + 1]) + (x.v[i + 2] + x.v[i + 3]);
  return sum;
}
// g(number) of the first `left`.
template <int N, typename G>
CREMA_DEVICE float sum_of(Numbers<N> x, i64 left, G g) {
  CREMA_UNROLL
  for (int i = 0; i < N; ++i) x.v[i] = i < left ? g(x.v[i]) : 0.0f;
  return sum_of(x);
}

// X(suffix of kernels' names, type stored) for each of the three.
#define CREMA_EACH_TYPE(X) X(f32, float) X(bf16, bf16) X(f16, f16)
