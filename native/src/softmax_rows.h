// softmax_rows.h: softmax and its logarithm over rows of n floats. In place allowed. NaN in, NaN out.
#pragma once

#include "rows.h"

namespace crema {
namespace CREMA_ISA {

// A row's result: of e^(x - most) its share of the sum, or the logarithm of that, x - (most + log sum).
template <bool Log>
CREMA_INLINE vec share(vec v, vec constant) {
  return Log ? v - constant : v * constant;
}

// One row of three that are under way, so that their arithmetic and their memory overlap: of e^(x - most) it returns
// the sum; the row before is finished by its constant; of the row after, the largest element is found.
template <bool Log, bool Before, bool After>
float softmax_row(const float* x, float most, float* y, int64_t n, float constant, float* next_most) {
  const vec m = broadcast(most), of_before = broadcast(constant);
  const float* const before = (Log ? x : y) - n;
  vec largest = broadcast(-INFINITY), sum[kSums] = {};
  sweep(n, [&](int64_t i, int64_t count, int k) CREMA_LAMBDA {
    const auto row = [&](const float* p) CREMA_LAMBDA {
      return count == W ? load(p + i) : load_n(p + i, count, broadcast(-INFINITY));
    };
    if (After) {
      fetch(x + 2 * n + i);
      fetch_to_write((Log ? y : y + n) + i);
      largest = at_least(largest, row(x + n));
    }
    const vec e = vexp_negative(row(x) - m);
    if (!Log) put(y + i, e, count);
    sum[k] += e;
    if (Before) put(y - n + i, share<Log>(some(before + i, count), of_before), count);
  });
  if (After) *next_most = hmax(largest);
  return total(sum);
}

template <bool Log>
void softmax_rows(const float* x, float* y, int64_t rows, int64_t n) {
  float most = largest_number(x, n), constant = 0;
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    float next_most = 0;
    const bool last = r + 1 == rows;
    const auto row = r == 0 ? (last ? softmax_row<Log, false, false> : softmax_row<Log, false, true>)
                            : (last ? softmax_row<Log, true, false> : softmax_row<Log, true, true>);
    const float sum = row(x, most, y, n, constant, &next_most);
    constant = Log ? most + vlog(broadcast(sum))[0] : 1.0f / sum;
    most = next_most;
  }
  const vec c = broadcast(constant);
  each((Log ? x : y) - n, y - n, n, [=](vec v) CREMA_LAMBDA { return share<Log>(v, c); });
}

}  // namespace CREMA_ISA
}  // namespace crema
