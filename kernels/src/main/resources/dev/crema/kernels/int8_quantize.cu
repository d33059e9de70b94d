// int8_quantize.cu: numbers to bytes and back, sums of bytes, and rows by the range that they turn out to have. NaN becomes the lowest
// number. 256 threads; grid: any, about n / 1024 blocks (four elements a thread), of quantized_add n / 2048 (eight).
//   quantize_linear: (x, u8* y, i64 n, float scale, int zero_point, int is_signed); dequantize_linear: (u8* x, y, ... the same)
//   quantized_add: (u8* a, u8* b, Target t, i64 n, int a_zero, int b_zero, float a_scale, float b_scale)
//   dynamic_quantize_linear: (x, u8* q, scales, u8* zeros, i64 rows, i64 n): a row a block; native/src/kernels/int8_dynamic.cpp says how
#include "int8.cuh"
#include "rows.cuh"

// A number in steps of a scale, from its zero point on, as a byte.
struct Steps {
  float scale, low, high;
  int zero;

  CREMA_DEVICE_METHOD u32 operator()(float v) const {
    return static_cast<u32>(to_nearest(__fdiv_rn(v, scale), low, high) + zero) & 255u;
  }
  CREMA_DEVICE_METHOD u32 operator()(const float4& v) const {
    return word_of_bytes((*this)(v.x), (*this)(v.y), (*this)(v.z), (*this)(v.w));
  }
};

CREMA_KERNEL(quantize_linear, kThreads, const float* x, u8* y, i64 n, float scale, int zero_point, int is_signed) {
  const int lowest = is_signed != 0 ? -128 : 0;
  const Steps steps = {scale, static_cast<float>(lowest - zero_point), static_cast<float>(lowest + 255 - zero_point), zero_point};
  const bool whole = is_aligned(x, 16);
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    store_bytes(y + i, steps(load4(x + i, n - i, whole, 0.0f)), n - i);
  }
}

CREMA_KERNEL(dequantize_linear, kThreads, const u8* x, float* y, i64 n, float scale, int zero_point, int is_signed) {
  const auto number = [&](u32 byte) {
    const int q = is_signed != 0 ? static_cast<int>(static_cast<s8>(byte & 255u)) : static_cast<int>(byte & 255u);
    return __fmul_rn(static_cast<float>(q - zero_point), scale);
  };
  const bool whole = is_aligned(y, 16);
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    const u32 v = four_bytes(x + i, n - i);
    store4(y + i, make_float4(number(v), number(v >> 8), number(v >> 16), number(v >> 24)), n - i, whole);
  }
}

CREMA_KERNEL(quantized_add, kThreads, const u8* a, const u8* b, const Target t, i64 n, int a_zero, int b_zero, float a_scale,
             float b_scale) {
  for (i64 i = 8 * global_thread(); i < n; i += 8 * global_threads()) {
    const u32 first[2] = {four_bytes(a + i, n - i), four_bytes(a + i + 4, n - i - 4)};
    const u32 second[2] = {four_bytes(b + i, n - i), four_bytes(b + i + 4, n - i - 4)};
    float v[8];
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) {
      const int from_a = static_cast<int>(first[e / 4] >> (e % 4 * 8) & 255u), from_b = static_cast<int>(second[e / 4] >> (e % 4 * 8) & 255u);
      v[e] = fmaf(static_cast<float>(from_a - a_zero), a_scale, __fmul_rn(static_cast<float>(from_b - b_zero), b_scale));
    }
    put_eight(t, i, v, n - i);
  }
}

constexpr float kSmallestNormal = 1.17549435e-38f;
constexpr float kGreatest = 3.40282347e38f;

CREMA_KERNEL(dynamic_quantize_linear, kThreads, const float* x, u8* q, float* scales, u8* zeros, i64 rows, i64 n) {
  each_block_row(rows, [&](i64 r) {
    float low = 0.0f, high = 0.0f;
    int nan = 0;
    const float* const from = x + r * n;
    const bool whole = is_aligned(from, 16);
    for (i64 i = 4 * threadIdx.x; i < n; i += 4 * blockDim.x) {
      const float4 four = load4(from + i, n - i, whole, 0.0f);  // ranges hold 0
      const float values[] = {four.x, four.y, four.z, four.w};
      CREMA_UNROLL
      for (int e = 0; e < 4; ++e) {
        const float v = values[e];
        low = v < low ? v : low;
        high = v > high ? v : high;
        nan = is_nan(v) ? 1 : nan;
      }
    }
    low = block_join(low, Smaller(), 0.0f);
    high = block_join(high, Greater(), 0.0f);
    nan = block_sum(nan);
    const float scale = nan != 0 ? CREMA_NAN : __fdiv_rn(high - low, 255.0f);
    if (!(scale >= kSmallestNormal && scale <= kGreatest)) {
      if (threadIdx.x == 0) {
        scales[r] = scale < kSmallestNormal ? 1.0f : scale;
        zeros[r] = 0;
      }
      for (i64 i = 4 * threadIdx.x; i < n; i += 4 * blockDim.x) store_bytes(q + r * n + i, 0, n - i);
      return;
    }
    const float begin = rintf(__fdiv_rn(-low, scale));
    const int zero = begin < 255.0f ? static_cast<int>(begin) : 255;
    if (threadIdx.x == 0) {
      scales[r] = scale;
      zeros[r] = static_cast<u8>(zero);
    }
    const Steps steps = {scale, static_cast<float>(-zero), static_cast<float>(255 - zero), zero};
    for (i64 i = 4 * threadIdx.x; i < n; i += 4 * blockDim.x) {
      store_bytes(q + r * n + i, steps(load4(from + i, n - i, whole, 0.0f)), n - i);
    }
  });
}
