// int8_linear.cpp: dense layers of bytes.
#include <cmath>

#include "../int8_dot.h"

namespace crema {
namespace CREMA_ISA {
namespace {

int64_t scratch(const Call& c) {
  return int8_scratch(c.in[0].rows(), c.out[0].last(), c.in[0].last(), c.threads);
}

// What both kinds of layers have: x is in[0], `packed` what pack_quantized left.
Int8Product product_of(const Call& c, const Tensor& packed) {
  Int8Product g;
  g.m = c.in[0].rows();
  g.n = c.out[0].last();
  g.k = c.in[0].last();
  g.x = c.in[0].as<uint8_t>();
  g.ldx = g.k;
  g.weights = packed.i32();
  g.offset = g.weights + int8_steps(g.k) * int8_columns(g.n);
  g.scale = reinterpret_cast<const float*>(g.offset + int8_columns(g.n));
  g.ldy = g.n;
  g.relu = c.ints[0] != 0;
  return g;
}

}  // namespace

// quantized_linear: in: x [..., k] uint8, packed (pack_quantized's) [int8_packed_rows(k), n rounded up to 16];
// out: y [..., n] float32 or uint8. ints: relu, zero point of y.
CREMA_KERNEL_SCRATCH(quantized_linear, scratch) {
  Int8Product g = product_of(c, c.in[1]);
  if (c.out[0].type == CREMA_UINT8) {
    g.q = c.out[0].as<uint8_t>();
  } else {
    g.y = c.out[0].f32();
  }
  g.zero_point = static_cast<int32_t>(c.ints[1]);
  int8_product(g, c.scratch, c.threads);
}

// dynamic_quantized_linear: in: x [..., k] uint8, scales and zero points of its rows [..., 1] float32 and uint8
// (dynamic_quantize_linear's), packed (pack_quantized's, without a scale of x), bias [n] (optional); out: y [..., n]
// float32. ints: relu.
CREMA_KERNEL_SCRATCH(dynamic_quantized_linear, scratch) {
  Int8Product g = product_of(c, c.in[3]);
  g.row_scale = c.in[1].f32();
  g.row_zero = c.in[2].as<uint8_t>();
  if (c.ins > 4 && c.in[4].present()) g.bias = c.in[4].f32();
  g.y = c.out[0].f32();
  int8_product(g, c.scratch, c.threads);
}

// pack_quantized: in: packed (written in place), w [..., n] float32, scales of w's columns [n], bias [n] (optional).
// ints: zero point of x, rows of w that lie in one run: groups of four begin anew with each run. floats: scale of x (0:
// its rows have their own; what is stored are the sums of w's columns and their scales), scale of y (0: y is float32). A
// weight becomes the nearest multiple of its column's scale, 127 at most; a bias the nearest multiple of the scales'
// product; NaN becomes 0.
static int64_t packed_k(const Call& c) { return c.in[1].rows() / c.ints[1] * kGroup * int8_steps(c.ints[1]); }

static int64_t pack_scratch(const Call& c) { return packed_k(c) * c.in[1].last(); }

CREMA_KERNEL_SCRATCH(pack_quantized, pack_scratch) {
  const int64_t rows = c.in[1].rows(), run = c.ints[1], k = packed_k(c);
  const int64_t n = c.in[1].last(), columns = int8_columns(n);
  const float *const w = c.in[1].f32(), *const scales = c.in[2].f32();
  const float* const bias = c.ins > 3 && c.in[3].present() ? c.in[3].f32() : nullptr;
  int8_t* const q = reinterpret_cast<int8_t*>(c.scratch);
  std::memset(q, 0, static_cast<size_t>(k * n));
  for (int64_t p = 0; p < rows; ++p) {
    int8_t* const to = q + (p / run * kGroup * int8_steps(run) + p % run) * n;
    for (int64_t j = 0; j < n; ++j) {
      const float v = __builtin_rintf(w[p * n + j] / scales[j]);
      to[j] = static_cast<int8_t>(v != v ? 0.0f : v < -127 ? -127.0f : v > 127 ? 127.0f : v);
    }
  }
  int32_t* const packed = c.in[0].i32();
  int32_t* const offset = packed + int8_steps(k) * columns;
  float* const scale = reinterpret_cast<float*>(offset + columns);
  std::memset(offset, 0, static_cast<size_t>(columns) * 8);
  pack_int8(q, n, k, packed, offset);
  const float x = static_cast<float>(c.floats[0]), y = static_cast<float>(c.floats[1]);
  if (x == 0) {
    std::memcpy(scale, scales, static_cast<size_t>(n) * sizeof(float));
    return;
  }
  for (int64_t j = 0; j < n; ++j) {
    const float product = x * scales[j];
    const double b = bias == nullptr ? 0 : std::rint(static_cast<double>(bias[j]) / product);
    const int64_t whole = b != b ? 0 : static_cast<int64_t>(b < -0x7fffffff ? -0x7fffffff : b > 0x7fffffff ? 0x7fffffff : b);
    offset[j] = static_cast<int32_t>(static_cast<uint64_t>(whole - (c.ints[0] - kSigned) * offset[j]));
    scale[j] = y == 0 ? product : product / y;
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
