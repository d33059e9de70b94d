// vec_math.h: exp, log, tanh, sigmoid, erf, pow ... on vectors; included by vec.h. The largest error of each
// is asserted by test/vec_test.cpp on every instruction set. NaN in, NaN out. Denormals count as zero.
// Polynomials are minimax fits (Lawson's method) of the function named beside them.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

typedef double vecd __attribute__((vector_size(8 * W)));
typedef int64_t vecl __attribute__((vector_size(8 * W)));

#if defined(__AVX512F__) || defined(__AVX2__)
// 2^(j / W): a permute is a look-up, and leaves to the polynomial a range so small that it is short.
#if defined(__AVX512F__)
alignas(64) constexpr float kPowers[W] = {1.0f,         1.04427373f,  1.09050775f, 1.13878858f,
                                          1.18920708f,  1.24185777f,  1.29683959f, 1.35425556f,
                                          1.41421354f,  1.47682619f,  1.54221082f, 1.61049032f,
                                          1.68179286f,  1.75625217f,  1.8340081f,  1.91520655f};
#else
alignas(32) constexpr float kPowers[W] = {1.0f,        1.09050775f, 1.18920708f, 1.29683959f,
                                          1.41421354f, 1.54221082f, 1.68179286f, 1.8340081f};
#endif
constexpr float kRounds = 1.5f * (1 << 23) / W;  // added, it rounds to sixteenths or eighths
#else
constexpr float kRounds = 1.5f * (1 << 23);  // added, it rounds to an integer
#endif

#if defined(__AVX2__) && !defined(__AVX512F__)
// 2^k for k = shifted - kRounds, from -127 (which is denormal, so 0) up to below 128. Garbage for NaN.
CREMA_INLINE vec power_of_two(vec shifted) {
  typedef uint32_t bits __attribute__((vector_size(4 * W)));
  const vec fraction = (vec)_mm256_permutevar8x32_ps(_mm256_load_ps(kPowers), (__m256i)as_int(shifted));
  return (vec)((bits)fraction + (((bits)shifted << 20) & 0xff800000u));
}
#else
// 2^k e^r for k = shifted - kRounds and |r| of at most half of k's last place, times ln 2: e^r = 1 + r + r^2 P(r).
CREMA_INLINE vec vexp_reduced(vec r, vec k, vec shifted) {
#if defined(__AVX512F__)
  vec p = r * 1.66667193e-1f + 5.00016160e-1f;
  p = p * r + 1.0f;
  const vec power = (vec)_mm512_permutexvar_ps((__m512i)as_int(shifted), _mm512_load_ps(kPowers));
  return (vec)_mm512_scalef_ps((__m512)fused(power, r * p, power), (__m512)k);  // takes k's integer part
#else
  vec p = broadcast(1.3950493885204196e-3f);
  p = p * r + 8.368894457817078e-3f;
  p = p * r + 4.166620597243309e-2f;
  p = p * r + 1.66665181517601e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  (void)k;
  const veci ki = as_int(shifted) - 0x4B400000;  // garbage for NaN, which p is too
  const veci half = ki >> 1;
  const auto power = [](veci e) __attribute__((always_inline)) {
    typedef uint32_t bits __attribute__((vector_size(4 * W)));
    return (vec)(((bits)e + 127u) << 23);
  };
  return (p * power(half)) * power(ki - half);  // in two steps: k reaches 128
#endif
}
#endif

// e^x, at most 1.2 ulp (1.1 where multiply-adds are fused): x = k ln 2 + r. Overflows to infinity above 88.722, is 0 where the result would be denormal.
CREMA_INLINE vec vexp(vec x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  // k is rounded down, so that it stays below 128: r is in [0, ln 2 / 8], e^r = 1 + r P(r).
  const vec z = at_most(at_least(x, broadcast(-87.4f)), broadcast(88.7228394f));
  const vec shifted = fused(z, broadcast(1.44269504088896341f), broadcast(-0.0625f)) + kRounds;
  const vec k = shifted - kRounds;
  const vec r = fused(k, broadcast(-1.42860682030941723e-6f), fused(k, broadcast(-0.693145751953125f), z));
  vec p = fused(r, broadcast(1.73738867e-1f), broadcast(4.9964416e-1f));
  p = fused(p, r, broadcast(1.00000501f));
  const vec power = power_of_two(shifted);
  return select(x > 88.7228394f, broadcast(INFINITY), fused(power, r * p, power));
#else
  x = at_most(at_least(x, broadcast(-105.0f)), broadcast(89.0f));
  const vec shifted = x * 1.44269504088896341f + kRounds;
  const vec k = shifted - kRounds;
#if defined(CREMA_FUSED)  // k has sixteenths on AVX-512: its product has more bits than a float
  const vec r = fused(k, broadcast(-0.693145751953125f), x);
  return vexp_reduced(fused(k, broadcast(-1.42860682030941723e-6f), r), k, shifted);
#else
  const vec r = x - k * 0.693145751953125f;
  return vexp_reduced(r - k * 1.42860682030941723e-6f, k, shifted);
#endif
#endif
}

// e^x for x <= 0, where a sum of it matters more than its last bits: at most 1.6 ulp above -20, 4.5 ulp at -87.
CREMA_INLINE vec vexp_negative(vec x) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  x = at_least(x, broadcast(-87.5f));
  const vec shifted = fused(x, broadcast(1.44269504088896341f), broadcast(kRounds));
  const vec r = fused(shifted - kRounds, broadcast(-0.69314718055994530942f), x);
  const vec p = fused(fused(r, broadcast(1.66668579e-1f), broadcast(5.00064492e-1f)), r, broadcast(1.0f));
  const vec power = power_of_two(shifted);
  return fused(power, r * p, power);
#else
  x = at_least(x, broadcast(-105.0f));
  const vec shifted = x * 1.44269504088896341f + kRounds;
  const vec k = shifted - kRounds;
#if defined(CREMA_FUSED)
  return vexp_reduced(fused(k, broadcast(-0.69314718055994530942f), x), k, shifted);  // only ln 2 itself is rounded
#else
  return vexp_reduced((x - k * 0.693145751953125f) - k * 1.42860682030941723e-6f, k, shifted);
#endif
#endif
}

// Natural logarithm, at most 1.1 ulp: mantissa m in [sqrt(1/2), sqrt 2), log(1 + f) = f - f^2 / 2 + f^3 P(f).
// 0 gives -infinity, a negative number NaN.
CREMA_INLINE vec vlog(vec x) {
  const veci bits = as_int(x);
  veci e = ((bits >> 23) & 0xff) - 126;
  vec m = as_float((bits & 0x007fffff) | 0x3f000000);  // [0.5, 1)
  const veci small = m < 0.707106781186547524f;
  e = e + small;  // a true comparison is -1
  const vec f = select(small, m + m, m) - 1.0f;
  vec p = broadcast(6.915284e-2f);
  p = p * f - 1.1789768e-1f;
  p = p * f + 1.1872990e-1f;
  p = p * f - 1.2384355e-1f;
  p = p * f + 1.4218657e-1f;
  p = p * f - 1.6669251e-1f;
  p = p * f + 2.0002227e-1f;
  p = p * f - 2.4999987e-1f;
  p = p * f + 3.3333310e-1f;
  const vec z = f * f;
  const vec ef = to_float(e);
  vec y = p * f * z;
  y = y + ef * 1.42860682030941723e-6f;
  y = y - 0.5f * z;
  y = f + y;
  y = y + ef * 0.693145751953125f;
  y = select(x < 1.17549435e-38f, broadcast(-INFINITY), y);
  y = select(x <= -1.17549435e-38f, broadcast(NAN), y);
  return select(x < INFINITY, y, x);  // infinity and NaN
}

// log(1 + t) for t in [0, 1], at most 1.5 ulp: 2 atanh(s), s = t / (2 + t), atanh(s) = s + s^3 P(s^2).
CREMA_INLINE vec vlog1p_unit(vec t) {
  const vec twice = (t + t) / (t + 2.0f);
  const vec s = 0.5f * twice;
  const vec z = s * s;
  vec p = broadcast(1.2150467e-1f);
  p = p * z + 1.0713828e-1f;
  p = p * z + 1.4308442e-1f;
  p = p * z + 1.9999439e-1f;
  p = p * z + 3.3333337e-1f;
  return twice + twice * (z * p);
}

// log(1 + e^x), at most 3 ulp.
CREMA_INLINE vec vsoftplus(vec x) { return at_least(x, vec{}) + vlog1p_unit(vexp(-vabs(x))); }

// e^x - 1 for x <= 0, at most 1.5 ulp. Near 0, x + x^2 P(x).
CREMA_INLINE vec vexpm1_negative(vec x) {
  vec p = broadcast(1.4731449e-4f);
  p = p * x + 1.3432543e-3f;
  p = p * x + 8.3127293e-3f;
  p = p * x + 4.1661911e-2f;
  p = p * x + 1.6666616e-1f;
  p = p * x + 0.5f;
  return select(x > -0.7f, p * (x * x) + x, vexp(x) - 1.0f);
}

// Hyperbolic tangent, at most 2 ulp: x + x^3 P(x^2) near 0, (1 - e^-2|x|) / (1 + e^-2|x|) elsewhere.
CREMA_INLINE vec vtanh(vec x) {
  const vec a = vabs(x);
  const vec t = vexp(-2.0f * a);
  const vec far = (1.0f - t) * reciprocal(1.0f + t);
  const vec z = x * x;
  vec p = broadcast(-5.7208017e-3f);
  p = p * z + 2.0653788e-2f;
  p = p * z - 5.3744424e-2f;
  p = p * z + 1.3331501e-1f;
  p = p * z - 3.3333284e-1f;
  const vec near = a + a * z * p;
  const vec y = select(a < 0.625f, near, far);
  return as_float(as_int(y) | (as_int(x) & broadcasti(INT32_MIN)));
}

// 1 / (1 + e^-x), at most 3 ulp on both sides.
CREMA_INLINE vec vsigmoid(vec x) { return reciprocal(1.0f + at_most(vexp(-x), broadcast(1.6e38f))); }

// For t >= 0: e^(-t^2 / 2) and Phi(-t), the normal distribution's tail, which is e^(-t^2 / 2) u P(u) with
// u = 1 / (1 + 0.26 t). Relative error of the tail grows as t^2 ulp / 2.
struct NormalTail {
  vec gauss, tail;
};
CREMA_INLINE NormalTail normal_tail(vec t) {
  t = at_most(t, broadcast(14.5f));
  const vec gauss = vexp(-0.5f * (t * t));
  const vec u = reciprocal(t * 0.26f + 1.0f);
  vec p = broadcast(3.0230781e-2f);
  p = p * u - 1.5149663e-1f;
  p = p * u + 2.4873744e-1f;
  p = p * u - 1.4779384e-1f;
  p = p * u + 1.5876164e-1f;
  p = p * u + 5.1963691e-2f;
  p = p * u + 1.0278895e-1f;
  p = p * u + 1.0305094e-1f;
  p = p * u + 1.0375702e-1f;
  return NormalTail{gauss, gauss * (u * p)};
}

// Error function, at most 2 ulp: x + x P(x^2) below 0.9, else from the normal distribution's tail.
CREMA_INLINE vec verf(vec x) {
  const vec a = vabs(x);
  const vec z = x * x;
  vec p = broadcast(-6.0906529e-4f);
  p = p * z + 5.0120280e-3f;
  p = p * z - 2.6778962e-2f;
  p = p * z + 1.1282143e-1f;
  p = p * z - 3.7612525e-1f;
  p = p * z + 1.28379151e-1f;
  const vec far = 1.0f - 2.0f * normal_tail(a * 1.41421356237f).tail;
  const vec y = select(a < 0.9f, a + a * p, far);
  return as_float(as_int(y) | (as_int(x) & broadcasti(INT32_MIN)));
}

// x^y as IEEE 754's pow, at most 1 ulp; in double: |x|^y = 2^(y log2 |x|).
CREMA_INLINE vec vpow(vec x, vec y) {
  const vec a = vabs(x);
  const veci bits = as_int(a);
  veci e = ((bits >> 23) & 0xff) - 127;
  vec m = as_float((bits & 0x007fffff) | 0x3f800000);  // [1, 2)
  const veci big = m > 1.41421356237f;
  e = e - big;
  m = select(big, 0.5f * m, m);
  const vecd md = __builtin_convertvector(m, vecd);
  const vecd s = (md - 1.0) / (md + 1.0);
  const vecd z = s * s;
  vecd q = z * (1.0 / 13) + (1.0 / 11);  // atanh's series; |s| < 0.172
  q = q * z + (1.0 / 9);
  q = q * z + (1.0 / 7);
  q = q * z + (1.0 / 5);
  q = q * z + (1.0 / 3);
  q = q * z + 1.0;
  const vecd log2 = __builtin_convertvector(e, vecd) + s * q * 2.88539008177792681472;
  vecd power = log2 * __builtin_convertvector(y, vecd);
  power = power < -300.0 ? vecd{} - 300.0 : (power > 300.0 ? vecd{} + 300.0 : power);
  const vecd shifted = power + 6755399441055744.0;  // 1.5 * 2^52 rounds to an integer, in the low bits
  const vecd f = (power - (shifted - 6755399441055744.0)) * 0.69314718055994530942;
  vecd p = f * (1.0 / 5040) + (1.0 / 720);
  p = p * f + (1.0 / 120);
  p = p * f + (1.0 / 24);
  p = p * f + (1.0 / 6);
  p = p * f + 0.5;
  p = p * f + 1.0;
  p = p * f + 1.0;
  typedef uint64_t vecu __attribute__((vector_size(8 * W)));
  const vecu exponent = ((vecu)shifted + 1023u) << 52;
  vec r = __builtin_convertvector(p * (vecd)exponent, vec);

  // The ends. Zero (denormals too) and infinity to a power, then the sign, then what has no power.
  const veci zero = a < 1.17549435e-38f;
  const veci infinite = a == INFINITY;
  const veci rising = y > 0.0f;
  r = select(infinite ^ zero, select(rising == infinite, broadcast(INFINITY), vec{}), r);
  const veci steep = vabs(y) == INFINITY;
  r = select(steep & (a == 1.0f), broadcast(1.0f), r);
  const vec ay = vabs(y);
  const veci whole = (vround(y) == y) | (ay >= 8388608.0f);
  const veci parity = to_int(at_most(select(ay < 16777216.0f, ay, vec{}), broadcast(16777216.0f)));
  const veci negative = as_int(x) & INT32_MIN;
  const veci odd = whole & -(parity & 1);
  r = as_float(as_int(r) | (negative & odd));
  r = select((x < 0.0f) & ~zero & ~infinite & ~whole, broadcast(NAN), r);
  r = select((x == x) & (y == y), r, x + y);
  return select((y == 0.0f) | (x == 1.0f), broadcast(1.0f), r);
}

}  // namespace CREMA_ISA
}  // namespace crema
