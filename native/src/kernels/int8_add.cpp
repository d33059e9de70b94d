// int8_add.cpp: sums of two tensors of bytes, as of a residual network, each with its own scale.
#include "../int8_dot.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kAddGrain = 1 << 14;  // bytes worth a thread

}  // namespace

// quantized_add: in: a, b uint8 of one shape; out: y uint8 or float32. ints: ReLU or not, zero points of a, b and y.
// floats: scales of a and b, divided by that of y if y is bytes.
//   v = (a - its zero point) its scale + ((b - its zero point) its scale), the first product and the sum rounded once
// and then as int8.h says.
CREMA_KERNEL(quantized_add) {
  const bool relu = c.ints[0] != 0, floats = c.out[0].type == CREMA_FLOAT32;
  const int32_t a_zero = static_cast<int32_t>(c.ints[1]), b_zero = static_cast<int32_t>(c.ints[2]);
  const int32_t y_zero = static_cast<int32_t>(c.ints[3]);
  const vec a_scale = broadcast(static_cast<float>(c.floats[0])), b_scale = broadcast(static_cast<float>(c.floats[1]));
  const vec low = broadcast(relu ? 0.0f : static_cast<float>(-y_zero));
  const vec high = broadcast(static_cast<float>(255 - y_zero));
  const uint8_t *const a = c.in[0].as<uint8_t>(), *const b = c.in[1].as<uint8_t>();
  uint8_t* const q = c.out[0].as<uint8_t>();
  float* const y = c.out[0].f32();
  parallel(c.threads, c.in[0].elements(), kAddGrain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; i += W) {
      const int64_t n = end - i;
      const vec second = to_float(some_bytes(b + i, n) - b_zero) * b_scale;
      const vec v = once_rounded(to_float(some_bytes(a + i, n) - a_zero), a_scale, second);
      if (floats) {
        put(y + i, relu ? at_least(v, vec{}) : v, n);
      } else {
        put_bytes(q + i, to_nearest(v, low, high) + y_zero, n);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
