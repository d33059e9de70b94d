// fake_quantize.cpp: rounding to the numbers that bytes can stand for, in float32, for training models that will predict
// with bytes. Gradients pass straight through (Bengio et al. 2013), except where a number was out of range.
#include <cfloat>

#include "../elementwise.h"

namespace crema {
namespace CREMA_ISA {

// Parameters: scale; lowest and highest multiple of it. As quantize_linear and dequantize_linear give; NaN stays NaN.
CREMA_UNARY(fake_quantize, vround(at_most(at_least(a / p[0], broadcast(p[1])), broadcast(p[2]))) * p[0])
// (x, dy)
CREMA_BINARY(fake_quantize_grad, select((vround(a / p[0]) >= p[1]) & (vround(a / p[0]) <= p[2]), b, vec{}))

namespace {

constexpr int kBlock = 4;  // vectors of columns whose maxima stay in registers
constexpr float kMost = 127;
constexpr int64_t kRoundingGrain = 1 << 14;  // elements worth waking a thread for

// Columns [0, n) of rows that are `step` apart; n <= kBlock W.
CREMA_INLINE void round_columns(const float* w, float* y, int64_t rows, int64_t step, int64_t n) {
  vec most[kBlock] = {};
  for (int64_t r = 0; r < rows; ++r) {
    const float* const row = w + r * step;
    for (int v = 0; v < kBlock && v * W < n; ++v) most[v] = at_least(most[v], vabs(some(row + v * W, n - v * W)));
  }
  vec scale[kBlock];
  for (int v = 0; v < kBlock; ++v) scale[v] = select(most[v] > vec{}, most[v] / kMost, broadcast(1.0f));
  for (int64_t r = 0; r < rows; ++r) {
    for (int v = 0; v < kBlock && v * W < n; ++v) {
      const vec x = some(w + r * step + v * W, n - v * W);
      put(y + r * step + v * W, vround(x / scale[v]) * scale[v], n - v * W);
    }
  }
}

}  // namespace

// in: w [..., n]; out: the same shape: every column (the last axis) as multiples of a 127th of its largest magnitude.
CREMA_KERNEL(fake_quantize_weights) {
  const int64_t rows = c.in[0].rows(), n = c.in[0].last(), unit = kBlock * W;
  const float* const w = c.in[0].f32();
  float* const y = c.out[0].f32();
  const int64_t grain = kRoundingGrain / (unit * (rows < 1 ? 1 : rows)) + 1;
  parallel(c.threads, (n + unit - 1) / unit, grain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t j = begin * unit; j < end * unit && j < n; j += unit) {
      round_columns(w + j, y + j, rows, n, n - j < unit ? n - j : unit);
    }
  });
}

// in: x [..., n]; out: the same shape: every row as multiples of a 127th of its largest magnitude.
CREMA_KERNEL(fake_quantize_rows) {
  const int64_t n = c.in[0].last();
  parallel(c.threads, c.in[0].rows(), kRoundingGrain / (n + 1) + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const float* const x = c.in[0].f32() + r * n;
      float* const y = c.out[0].f32() + r * n;
      vec lanes{};
      for (int64_t i = 0; i < n; i += W) lanes = at_least(lanes, vabs(some(x + i, n - i)));
      float most = 0;
      for (int i = 0; i < W; ++i) most = lanes[i] > most ? lanes[i] : most;
      const float step = most / kMost;
      const vec scale = broadcast(most == 0 ? 1 : step > FLT_MIN ? step : FLT_MIN);
      for (int64_t i = 0; i < n; i += W) put(y + i, vround(some(x + i, n - i) / scale) * scale, n - i);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
