// fp8_linear.cpp: dense layers of fp8, as cards with such tensor cores compute them: inputs and weights of E4M3
// (fp8.h), the inputs with one scale, the weights with one for each output, summed in float32. Here bytes become
// float32 before they are multiplied (weight_only.h), which gains memory but no time.
#include "../fp8.h"
#include "../weight_only.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 1 << 14;  // numbers

int64_t input_bytes(const Tensor& x) { return (x.elements() * static_cast<int64_t>(sizeof(float)) + 63) / 64 * 64; }

int64_t linear_scratch(const Call& c) {
  const Tensor& x = c.in[0];
  return input_bytes(x) + weight_only_scratch(x.rows(), c.out[0].last(), x.last(), c.threads);
}

}  // namespace

// quantize_fp8: in: x float32; out: y uint8: x / scale as E4M3. floats: scale.
CREMA_KERNEL(quantize_fp8) {
  const vec scale = broadcast(static_cast<float>(c.floats[0]));
  const float* const x = c.in[0].f32();
  uint8_t* const y = c.out[0].as<uint8_t>();
  parallel(c.threads, c.in[0].elements(), kGrain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; i += W) put_bytes(y + i, to_fp8(some(x + i, end - i) / scale), end - i);
  });
}

// pack_fp8: in: packed (written in place), w [k, n], scales [n].
CREMA_KERNEL(pack_fp8) {
  const Tensor& w = c.in[1];
  pack_weight_only(w.f32(), c.in[2].f32(), w.last(), w.rows(), FewBits::kFp8, w.rows(), c.in[0].i32());
}

// fp8_linear: in: x [..., k] uint8 (quantize_fp8's), packed (pack_fp8's), bias [n] (optional); out: y [..., n] float32.
// ints: ReLU or not. floats: scale of x.
CREMA_KERNEL_SCRATCH(fp8_linear, linear_scratch) {
  const Tensor& bytes = c.in[0];
  const vec scale = broadcast(static_cast<float>(c.floats[0]));
  const uint8_t* const from = bytes.as<uint8_t>();
  float* const x = reinterpret_cast<float*>(c.scratch);
  parallel(c.threads, bytes.elements(), kGrain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; i += W) put(x + i, of_fp8(some_bytes(from + i, end - i)) * scale, end - i);
  });
  WeightOnlyProduct g;
  g.m = bytes.rows();
  g.n = c.out[0].last();
  g.k = g.group = bytes.last();
  g.x = x;
  g.packed = c.in[1].i32();
  g.format = FewBits::kFp8;
  g.bias = c.ins > 2 && c.in[2].present() ? c.in[2].f32() : nullptr;
  g.y = c.out[0].f32();
  g.activation = c.ints[0] != 0 ? kRelu : kNone;
  weight_only_product(g, c.scratch + input_bytes(bytes), c.threads);
}

}  // namespace CREMA_ISA
}  // namespace crema
