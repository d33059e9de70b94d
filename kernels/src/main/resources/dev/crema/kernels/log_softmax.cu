// log_softmax.cu: y = x - log sum e^x over the last axis, and its gradient dx = dy - e^y sum(dy). float32. In place
// allowed. NaN in, NaN out. Rows as in softmax.cu.
//
// log_softmax_warp, log_softmax_block: (x, y, i64 rows, int n), (x, y, i64 rows, i64 n, int cached)
// log_softmax_grad_warp, log_softmax_grad_block: (y, dy, dx, i64 rows, n)
#include "softmax.cuh"

CREMA_KERNEL(log_softmax_warp, kThreads, const float* x, float* y, i64 rows, int n) {
  softmax_of_warps<true>(x, y, rows, n);
}

CREMA_KERNEL(log_softmax_block, kThreads, const float* x, float* y, i64 rows, i64 n, int cached) {
  CREMA_DYNAMIC_SHARED(float, cache);
  softmax_of_blocks<true>(x, y, rows, n, cached != 0 ? cache : nullptr);
}

CREMA_KERNEL(log_softmax_grad_warp, kThreads, const float* y, const float* dy, float* dx, i64 rows, int n) {
  const bool whole = n % 4 == 0 && is_aligned(y, 16) && is_aligned(dy, 16) && is_aligned(dx, 16);
  with_fours(n, [&](auto fours) {
    constexpr int kFours = decltype(fours)::value;
    each_warp_row(rows, [&](i64 r) {
      WarpRow<kFours> a, d;
      a.load(y + r * n, n, whole, 0.0f);
      d.load(dy + r * n, n, whole, 0.0f);
      const float sum = d.join(0.0f, Plus(), [](float v) { return v; });
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) {
        d.v[f] = map_fours(a.v[f], d.v[f], [sum](float p, float q) { return q - expf(p) * sum; });
      }
      d.store(dx + r * n, n, whole);
    });
  });
}

CREMA_KERNEL(log_softmax_grad_block, kThreads, const float* y, const float* dy, float* dx, i64 rows, i64 n) {
  const bool whole = n % 4 == 0 && is_aligned(y, 16) && is_aligned(dy, 16) && is_aligned(dx, 16);
  each_block_row(rows, [&](i64 r) {
    float sum = 0.0f;
    each_four(n, [&](i64 i, i64 left) { sum += sum_of_four(load4(dy + r * n + i, left, whole, 0.0f)); });
    sum = block_sum(sum);
    each_four(n, [&](i64 i, i64 left) {
      store4(dx + r * n + i,
             map_fours(load4(y + r * n + i, left, whole, 0.0f), load4(dy + r * n + i, left, whole, 0.0f),
                       [sum](float p, float q) { return q - expf(p) * sum; }),
             left, whole);
    });
  });
}
