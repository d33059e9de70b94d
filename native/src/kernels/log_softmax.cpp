// log_softmax.cpp: y = x - log sum e^x over the last axis, and its gradient. In place allowed. NaN in, NaN out.
#include "../softmax_rows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 8192;  // elements worth waking another thread for

void log_softmax_grad_row(const float* y, const float* dy, float* dx, int64_t n) {
  const float total = sum_of(n, [&](int64_t i, int64_t k) CREMA_LAMBDA { return some(dy + i, k); });
  each(y, dy, dx, n, [=](vec a, vec b) CREMA_LAMBDA { return b - vexp(a) * total; });
}

}  // namespace

CREMA_KERNEL_SCRATCH(log_softmax, softmax_scratch) { softmax_of<true>(c); }

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
