// int8_dynamic.cpp: rows of numbers to bytes by the ranges that they turn out to have.
#include <cfloat>

#include "../int8_dot.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kRangeGrain = 1 << 14;  // numbers worth waking a thread for

struct RowRange {
  float low = 0, high = 0;  // of the numbers and 0
  bool has_nan = false;
};

CREMA_INLINE RowRange range_of(const float* x, int64_t n) {
  vec low{}, high{};
  veci nan{};
  for (int64_t i = 0; i < n; i += W) {
    const vec v = some(x + i, n - i);
    low = at_most(low, v);  // v is NaN: low
    high = at_least(high, v);
    nan |= v != v;
  }
  RowRange r;
  for (int i = 0; i < W; ++i) {
    r.low = low[i] < r.low ? low[i] : r.low;
    r.high = high[i] > r.high ? high[i] : r.high;
    r.has_nan = r.has_nan || nan[i] != 0;
  }
  return r;
}

}  // namespace

// dynamic_quantize_linear: every row as DynamicQuantizeLinear of ONNX opset 11 treats a tensor:
//   scale = (max(x, 0) - min(x, 0)) / 255, zero point = half to even of -min / scale, both between 0 and 255,
//   q = saturate(half to even of (x / scale) + zero point).
// in: x [..., n] float32; out: q [..., n] uint8, scales [..., 1] float32, zero points [..., 1] uint8.
// What ONNX leaves open: a row of zeros, or whose scale would be below the smallest normal number, has the scale 1, the
// zero point 0 and bytes of 0; one that holds NaN has the scale NaN; one whose range is not finite has the scale
// infinity; both have the zero point 0 and bytes of 0, so that 0 times the scale is NaN.
CREMA_KERNEL(dynamic_quantize_linear) {
  const int64_t n = c.in[0].last();
  const float* const from = c.in[0].f32();
  uint8_t* const bytes = c.out[0].as<uint8_t>();
  float* const scales = c.out[1].f32();
  uint8_t* const zeros = c.out[2].as<uint8_t>();
  parallel(c.threads, c.in[0].rows(), kRangeGrain / (n + 1) + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const float* const x = from + r * n;
      uint8_t* const q = bytes + r * n;
      const RowRange range = range_of(x, n);
      const float scale = range.has_nan ? NAN : (range.high - range.low) / 255.0f;
      if (!(scale >= FLT_MIN && scale <= FLT_MAX)) {
        scales[r] = scale < FLT_MIN ? 1.0f : scale;
        zeros[r] = 0;
        std::memset(q, 0, static_cast<size_t>(n));
        continue;
      }
      scales[r] = scale;
      const float whole = __builtin_rintf(-range.low / scale);
      const int32_t zero = whole < 255.0f ? static_cast<int32_t>(whole) : 255;
      zeros[r] = static_cast<uint8_t>(zero);
      const vec low = broadcast(static_cast<float>(-zero)), high = broadcast(static_cast<float>(255 - zero));
      const vec step = broadcast(scale);
      for (int64_t i = 0; i < n; i += W) {
        put_bytes(q + i, to_nearest(some(x + i, n - i) / step, low, high) + zero, n - i);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
