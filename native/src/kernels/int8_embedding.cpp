// int8_embedding.cpp: rows by id of a table of bytes. For results in float32 a row is its bytes, 128 standing for 0, and
// its scale; for results of bytes its bytes are those of the results already.
#include "../int8_dot.h"
#include "../move.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int32_t kMiddle = 128;

}  // namespace

// pack_quantized_table: in: packed [v, words] (written in place), table [v, d] float32, scales of its rows [v]. ints: id
// whose row reads as zeros (-1: none), zero point of y. floats: scale of y (0: y is float32). A number becomes the
// nearest multiple of its row's scale, 127 at most, and what that stands for becomes the nearest byte of y; NaN becomes 0.
CREMA_KERNEL(pack_quantized_table) {
  const int64_t units = c.in[1].last(), words = c.in[0].last();
  const float y_scale = static_cast<float>(c.floats[0]);
  const bool floats = y_scale == 0;
  const float low = static_cast<float>(-c.ints[1]), high = static_cast<float>(255 - c.ints[1]);
  for (int64_t r = 0; r < c.in[1].rows(); ++r) {
    const float* const row = c.in[1].f32() + r * units;
    const float scale = c.in[2].f32()[r];
    uint8_t* const to = reinterpret_cast<uint8_t*>(c.in[0].i32() + r * words);
    for (int64_t i = 0; i < units; ++i) {
      float q = __builtin_rintf(row[i] / scale);
      q = q != q || r == c.ints[0] ? 0 : q < -127 ? -127 : q > 127 ? 127 : q;
      if (floats) {
        to[i] = static_cast<uint8_t>(static_cast<int32_t>(q) + kMiddle);
        continue;
      }
      float v = q * scale / y_scale;
      v = v > low ? v : low;
      v = v < high ? v : high;
      to[i] = static_cast<uint8_t>(static_cast<int64_t>(__builtin_rintf(v)) + c.ints[1]);
    }
    if (floats) std::memcpy(c.in[0].i32() + r * words + words - 1, &scale, sizeof(scale));
  }
}

// quantized_embedding: in: ids [i...] int32 or int64, packed [v, words]; out: y [i..., d] float32 or uint8.
CREMA_KERNEL(quantized_embedding) {
  const Tensor& packed = c.in[1];
  if (!indices_fit(c, c.in[0], packed.dim[0])) return;
  const int64_t units = c.out[0].last(), words = packed.last();
  const bool floats = c.out[0].type == CREMA_FLOAT32;
  parallel(c.threads, c.in[0].elements(), row_grain(units), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int32_t* const row = packed.i32() + index_at(c.in[0], i) * words;
      const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(row);
      if (!floats) {
        copy_run(c.out[0].as<char>() + i * units, reinterpret_cast<const char*>(bytes), units);
        continue;
      }
      float number;
      std::memcpy(&number, row + words - 1, sizeof(number));
      const vec scale = broadcast(number);
      float* const y = c.out[0].f32() + i * units;
      for (int64_t j = 0; j < units; j += W) {
        put(y + j, to_float(some_bytes(bytes + j, units - j) - kMiddle) * scale, units - j);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
