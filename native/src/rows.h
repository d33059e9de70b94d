// rows.h: what kernels do with a row of n floats: its sum, its largest element, and fetching the next one meanwhile.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

constexpr int kSums = 4;  // independent ones, so that an addition need not wait for the one before it

// f(i, count, k) for the vectors of a row, at i, of which the first `count` elements are there; k < kSums is the sum
// that takes them.
template <typename F>
CREMA_INLINE void sweep(int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + kSums * W <= n; i += kSums * W) {
#pragma GCC unroll 4
    for (int k = 0; k < kSums; ++k) f(i + k * W, static_cast<int64_t>(W), k);
  }
  for (; i + W <= n; i += W) f(i, static_cast<int64_t>(W), 0);
  if (i < n) f(i, n - i, 1);
}

CREMA_INLINE float total(const vec (&sum)[kSums]) { return hsum((sum[0] + sum[1]) + (sum[2] + sum[3])); }

// Sum of f(i, count), for vectors at i of which the first `count` elements count; f gives 0 past them.
template <typename F>
CREMA_INLINE float sum_of(int64_t n, const F& f) {
  vec sum[kSums] = {};
  sweep(n, [&](int64_t i, int64_t count, int k) CREMA_LAMBDA { sum[k] += f(i, count); });
  return total(sum);
}

// The largest element that is a number, -infinity if there is none. A NaN shows in what is summed afterwards.
CREMA_INLINE float largest_number(const float* x, int64_t n) {
  vec most[kSums];
  for (vec& m : most) m = broadcast(-INFINITY);
  int64_t i = 0;
  for (; i + kSums * W <= n; i += kSums * W) {
    for (int k = 0; k < kSums; ++k) most[k] = at_least(most[k], load(x + i + k * W));
  }
  for (; i + W <= n; i += W) most[0] = at_least(most[0], load(x + i));
  if (i < n) most[1] = at_least(most[1], load_n(x + i, n - i, broadcast(-INFINITY)));
  return hmax(at_least(at_least(most[0], most[1]), at_least(most[2], most[3])));
}

}  // namespace CREMA_ISA
}  // namespace crema
