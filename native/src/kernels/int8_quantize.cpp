// int8_quantize.cpp: numbers to bytes and back, as QuantizeLinear and DequantizeLinear of ONNX opset 21 define it:
//   q = saturate(half to even of (x / scale) + zero point), x = (q - zero point) scale.
// floats: scale; ints: zero point.
#include "../int8_dot.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBytesGrain = 1 << 15;

}  // namespace

// in: x float32; out: y uint8 or int8. NaN becomes the lowest number.
CREMA_KERNEL(quantize_linear) {
  const bool is_signed = c.out[0].type == CREMA_INT8;
  const int32_t lowest = is_signed ? -128 : 0, zero_point = static_cast<int32_t>(c.ints[0]);
  const vec low = broadcast(static_cast<float>(lowest - zero_point));
  const vec high = broadcast(static_cast<float>(lowest + 255 - zero_point));
  const vec scale = broadcast(static_cast<float>(c.floats[0]));
  const float* const x = c.in[0].f32();
  uint8_t* const y = c.out[0].as<uint8_t>();
  parallel(c.threads, c.in[0].elements(), kBytesGrain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; i += W) {
      put_bytes(y + i, (to_nearest(some(x + i, end - i) / scale, low, high) + zero_point) & 255, end - i);
    }
  });
}

// in: x uint8 or int8; out: y float32.
CREMA_KERNEL(dequantize_linear) {
  const bool is_signed = c.in[0].type == CREMA_INT8;
  const int32_t zero_point = static_cast<int32_t>(c.ints[0]);
  const float scale = static_cast<float>(c.floats[0]);
  const uint8_t* const x = c.in[0].as<uint8_t>();
  float* const y = c.out[0].f32();
  parallel(c.threads, c.in[0].elements(), kBytesGrain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int32_t q = is_signed ? static_cast<int8_t>(x[i]) : x[i];
      y[i] = static_cast<float>(q - zero_point) * scale;
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
