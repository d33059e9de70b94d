// log_softmax.cpp: y = x - log sum e^x over the last axis, and its gradient. In place allowed. NaN in, NaN out.
#include "../rows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 8192;  // elements worth waking another thread for

// One row of three that are under way (as in softmax.cpp): of e^(x - most) it returns the sum; the row before is
// finished, y = x - shift; of the row after, the largest element is found.
template <bool Before, bool After>
float log_softmax_row(const float* x, float most, float* y, int64_t n, float shift, float* next_most) {
  const vec m = broadcast(most), minus = broadcast(shift);
  vec largest = broadcast(-INFINITY), sum[kSums] = {};
  sweep(n, [&](int64_t i, int64_t count, int k) CREMA_LAMBDA {
    const auto row = [&](const float* p) CREMA_LAMBDA {
      return count == W ? load(p + i) : load_n(p + i, count, broadcast(-INFINITY));
    };
    if (After) {
      fetch(x + 2 * n + i);
      fetch_to_write(y + i);
      largest = at_least(largest, row(x + n));
    }
    sum[k] += vexp_negative(row(x) - m);
    if (Before) put(y - n + i, some(x - n + i, count) - minus, count);
  });
  if (After) *next_most = hmax(largest);
  return total(sum);
}

void log_softmax_rows(const float* x, float* y, int64_t rows, int64_t n) {
  float most = largest_number(x, n), shift = 0;
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    float next_most = 0;
    const bool last = r + 1 == rows;
    const auto row = r == 0 ? (last ? log_softmax_row<false, false> : log_softmax_row<false, true>)
                            : (last ? log_softmax_row<true, false> : log_softmax_row<true, true>);
    const float sum = row(x, most, y, n, shift, &next_most);
    shift = most + vlog(broadcast(sum))[0];
    most = next_most;
  }
  const vec minus = broadcast(shift);
  each(x - n, y - n, n, [=](vec a) CREMA_LAMBDA { return a - minus; });
}

void log_softmax_grad_row(const float* y, const float* dy, float* dx, int64_t n) {
  const float total = sum_of(n, [&](int64_t i, int64_t k) CREMA_LAMBDA { return some(dy + i, k); });
  each(y, dy, dx, n, [=](vec a, vec b) CREMA_LAMBDA { return b - vexp(a) * total; });
}

}  // namespace

CREMA_KERNEL(log_softmax) {
  const int64_t n = c.in[0].last();
  if (n == 0) return;
  parallel(c.threads, c.in[0].rows(), kGrain / n + 1, [&](int64_t begin, int64_t end, int64_t) {
    if (begin < end) log_softmax_rows(c.in[0].f32() + begin * n, c.out[0].f32() + begin * n, end - begin, n);
  });
}

// in: y, dy. out: dx.
CREMA_KERNEL(log_softmax_grad) {
  const int64_t n = c.in[0].last();
  if (n == 0) return;
  parallel(c.threads, c.in[0].rows(), kGrain / n + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      log_softmax_grad_row(c.in[0].f32() + r * n, c.in[1].f32() + r * n, c.out[0].f32() + r * n, n);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
