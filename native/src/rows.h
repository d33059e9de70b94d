// rows.h: what kernels do with a row of n floats: its sum, its largest element, and fetching the next one meanwhile.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

constexpr int kSums = 4;  // independent ones, so that an addition need not wait for the one before it

// Asks for a cache line that is read, or written, soon: rows of a few kilobytes are too short for the processor to
// foresee the next one (softmax of 4096 rows of 1024: 1.5 times as fast on Zen 5). Any address will do.
CREMA_INLINE void fetch(const float* p) { __builtin_prefetch(p); }
CREMA_INLINE void fetch_to_write(const float* p) { __builtin_prefetch(p, 1); }

// Sum of f(i, count), for vectors at i of which the first `count` elements count; f gives 0 past them.
template <typename F>
CREMA_INLINE float sum_of(int64_t n, const F& f) {
  vec sum[kSums] = {};
  int64_t i = 0;
  for (; i + kSums * W <= n; i += kSums * W) {
    for (int k = 0; k < kSums; ++k) sum[k] += f(i + k * W, static_cast<int64_t>(W));
  }
  for (; i + W <= n; i += W) sum[0] += f(i, static_cast<int64_t>(W));
  if (i < n) sum[1] += f(i, n - i);
  return hsum((sum[0] + sum[1]) + (sum[2] + sum[3]));
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
