// gelu.h: GELU (Hendrycks and Gimpel 2016) and its approximation by tanh, and their derivatives, on vectors.
#pragma once

#if defined(__AVX512F__) || defined(__AVX2__)
#include "gelu_tables.h"
#endif
#include "vec.h"

namespace crema {
namespace CREMA_ISA {

#if defined(__AVX512F__) || defined(__AVX2__)
// The polynomial for |x|. A register holds one coefficient of all pieces: two to three times as fast as an exponential
// and a division.
template <int Coefficients>
CREMA_INLINE vec piecewise(vec x, const float (&table)[Coefficients][W]) {
  const vec z = at_most(vabs(x) * kPieces, broadcast(W - 1));
  const vec shifted = z + 12582912.0f;  // rounds to an integer, in the low bits
  const vec t = z - (shifted - 12582912.0f);
  const auto coefficient = [&](int i) CREMA_LAMBDA {
#if defined(__AVX512F__)
    return (vec)_mm512_permutexvar_ps((__m512i)shifted, _mm512_loadu_ps(table[i]));
#else
    return (vec)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table[i]), (__m256i)shifted);
#endif
  };
  vec p = coefficient(Coefficients - 1);
#pragma GCC unroll 8
  for (int i = Coefficients - 2; i >= 0; --i) p = p * t + coefficient(i);
  return p;
}
CREMA_INLINE vec slope(vec x, vec tail) { return select(x > 0.0f, 1.0f - tail, tail); }

#if defined(__AVX512F__)
CREMA_INLINE vec vgelu(vec x) { return at_least(x, vec{}) - piecewise(x, kGeluTail); }
CREMA_INLINE vec vgelu_tanh(vec x) { return at_least(x, vec{}) - piecewise(x, kGeluTanhTail); }
#else
// |x| P(|x|)^-8 / 2, after Hastings (1955). On Zen 3 a permute across the register is two operations on pipes that
// multiply-adds want too: with eight of them GELU takes 17 cycles a vector, so 9, a division included.
template <int Coefficients>
CREMA_INLINE vec eighth_power_tail(vec x, const float (&coefficient)[Coefficients]) {
  const vec a = at_most(vabs(x), broadcast(14.0f));  // the power stays finite, the tail below 1e-27
  vec p = broadcast(coefficient[Coefficients - 1]);
#pragma GCC unroll 8
  for (int i = Coefficients - 2; i >= 0; --i) p = fused(p, a, broadcast(coefficient[i]));
  p = fused(p, a, broadcast(1.0f));
  const vec p2 = p * p, p4 = p2 * p2;
  return a / (p4 * (p4 + p4));
}
CREMA_INLINE vec vgelu(vec x) { return at_least(x, vec{}) - eighth_power_tail(x, kGeluTail); }
CREMA_INLINE vec vgelu_tanh(vec x) { return at_least(x, vec{}) - eighth_power_tail(x, kGeluTanhTail); }
#endif
CREMA_INLINE vec vgelu_slope(vec x) { return slope(x, piecewise(x, kGeluSlopeTail)); }
CREMA_INLINE vec vgelu_tanh_slope(vec x) { return slope(x, piecewise(x, kGeluTanhSlopeTail)); }
#else
constexpr float kGeluScale = 1.59576912160573f;  // 2 sqrt(2 / pi)

// x Phi(x), Phi the distribution function of the normal distribution. Below -15, where the result is 0, x is cut:
// -infinity times 0 would be NaN.
CREMA_INLINE vec vgelu(vec x) {
  const vec tail = normal_tail(vabs(x)).tail;
  return at_least(x, broadcast(-15.0f)) * select(x > 0.0f, 1.0f - tail, tail);
}
CREMA_INLINE vec vgelu_slope(vec x) {
  x = within(x, 15.0f);
  const NormalTail n = normal_tail(vabs(x));
  return select(x > 0.0f, 1.0f - n.tail, n.tail) + x * n.gauss * 0.398942280401433f;
}

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which is x sigmoid(2 sqrt(2 / pi) (...)).
CREMA_INLINE vec vgelu_tanh(vec x) {
  return at_least(x, broadcast(-15.0f)) * vsigmoid(x * (x * x * (0.044715f * kGeluScale) + kGeluScale));
}
CREMA_INLINE vec vgelu_tanh_slope(vec x) {
  x = within(x, 15.0f);
  const vec z = x * x;
  const vec t = vexp(-within(x * (z * (0.044715f * kGeluScale) + kGeluScale), 80.0f)), s = 1.0f / (1.0f + t);
  return s + x * s * (t * s) * (z * (3 * 0.044715f * kGeluScale) + kGeluScale);
}
#endif

}  // namespace CREMA_ISA
}  // namespace crema
