// fp8.cuh: numbers of E4M3 (Micikevicius et al. 2022), as native/src/fp8.h defines them: a sign, four bits of an exponent with bias 7,
// three of a fraction; up to 448, no infinity, 0x7f and 0xff are NaN. And products of them by tensor cores.
#pragma once

#include "mma.cuh"

// The nearest, half to even; beyond 448 that; NaN is 0x7f.
CREMA_DEVICE u32 to_fp8(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  u16 pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
  return pair;
#else
  if (is_nan(x)) return 0x7fu;
  const float size = at_most(fabsf(x), 448.0f);
  const u32 bits = __float_as_uint(size), sign = __float_as_uint(x) >> 24 & 0x80u;
  if (size < 0.015625f) return sign | static_cast<u32>(rintf(size * 512.0f));  // below 2^-6: multiples of 2^-9
  return sign | (((bits + 0x7ffffu + (bits >> 20 & 1u)) >> 20) - (120u << 3));
#endif
}

// d [16, 8] += a [16, 32] b [32, 8] / kFp8Unit, sums in float32, spread over a warp as in byte_tiles.cuh. Of mma.sync, 8.9 and
// 12.x have that product; elsewhere the compiler would make it of conversions, two products of float16 and four additions (9.0, 10.0: so says
// the machine code of nvcc 13), or refuse it (before 8.9). So do we then, without the additions, and so does the emulation: any order of k
// will do as long as a and b have the same.
#if defined(__CUDA_ARCH__) && (__CUDA_ARCH__ == 890 || __CUDA_ARCH__ >= 1200)
constexpr float kFp8Unit = 1.0f;
CREMA_DEVICE void mma_bytes(float (&d)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
  asm("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
#else
// Two of the four numbers of a word, 0 and 1 or 2 and 3, as float16: every number of E4M3 is one, and a 256th of it, too. NaN stays.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
constexpr float kFp8Unit = 1.0f;
CREMA_DEVICE u32 fp8_halves(u32 word, int pair) {
  u32 halves;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(static_cast<u16>(pair == 0 ? word : word >> 16)));
  return halves;
}
#else
constexpr float kFp8Unit = 65536.0f;
CREMA_DEVICE u32 fp8_halves(u32 word, int pair) {
  const u32 two = pair == 0 ? word : word >> 16, x = (two & 0xffu) | (two & 0xff00u) << 8;
  const u32 nan = ((x & 0x007f007fu) + 0x00010001u) & 0x00800080u;
  return (x & 0x00800080u) << 8 | (x & 0x007f007fu) << 7 | nan << 7;
}
#endif
CREMA_DEVICE void mma_bytes(float (&d)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
  const u32 first[4] = {fp8_halves(a0, 0), fp8_halves(a1, 0), fp8_halves(a0, 1), fp8_halves(a1, 1)};
  const u32 second[4] = {fp8_halves(a2, 0), fp8_halves(a3, 0), fp8_halves(a2, 1), fp8_halves(a3, 1)};
  const u32 of_first[2] = {fp8_halves(b0, 0), fp8_halves(b0, 1)}, of_second[2] = {fp8_halves(b1, 0), fp8_halves(b1, 1)};
  mma(d, first, of_first, f16{});
  mma(d, second, of_second, f16{});
}
#endif
