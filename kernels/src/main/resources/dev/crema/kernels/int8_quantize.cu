// int8_quantize.cu: numbers to bytes and back, sums of bytes, and rows by the range that they turn out to have. NaN becomes the lowest
// number. 256 threads; grid: any, about n / 256 blocks.
//   quantize_linear: (x, u8* y, i64 n, float scale, int zero_point, int is_signed); dequantize_linear: (u8* x, y, ... the same)
//   quantized_add: (u8* a, u8* b, Target t, i64 n, int a_zero, int b_zero, float a_scale, float b_scale)
//   dynamic_quantize_linear: (x, u8* q, scales, u8* zeros, i64 rows, i64 n): a row a block; native/src/kernels/int8_dynamic.cpp says how
#include "int8.cuh"
#include "rows.cuh"

CREMA_KERNEL(quantize_linear, kThreads, const float* x, u8* y, i64 n, float scale, int zero_point, int is_signed) {
  const int lowest = is_signed != 0 ? -128 : 0;
  const float low = static_cast<float>(lowest - zero_point), high = static_cast<float>(lowest + 255 - zero_point);
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    y[i] = static_cast<u8>((to_nearest(__fdiv_rn(x[i], scale), low, high) + zero_point) & 255);
  }
}

CREMA_KERNEL(dequantize_linear, kThreads, const u8* x, float* y, i64 n, float scale, int zero_point, int is_signed) {
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    const int q = is_signed != 0 ? static_cast<int>(static_cast<s8>(x[i])) : static_cast<int>(x[i]);
    y[i] = __fmul_rn(static_cast<float>(q - zero_point), scale);
  }
}

CREMA_KERNEL(quantized_add, kThreads, const u8* a, const u8* b, const Target t, i64 n, int a_zero, int b_zero, float a_scale,
             float b_scale) {
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    const float second = __fmul_rn(static_cast<float>(static_cast<int>(b[i]) - b_zero), b_scale);
    put_number(t, i, fmaf(static_cast<float>(static_cast<int>(a[i]) - a_zero), a_scale, second));
  }
}

constexpr float kSmallestNormal = 1.17549435e-38f;
constexpr float kGreatest = 3.40282347e38f;

CREMA_KERNEL(dynamic_quantize_linear, kThreads, const float* x, u8* q, float* scales, u8* zeros, i64 rows, i64 n) {
  each_block_row(rows, [&](i64 r) {
    float low = 0.0f, high = 0.0f;
    int nan = 0;
    for (i64 i = threadIdx.x; i < n; i += blockDim.x) {
      const float v = x[r * n + i];
      low = v < low ? v : low;
      high = v > high ? v : high;
      nan = is_nan(v) ? 1 : nan;
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
      for (i64 i = threadIdx.x; i < n; i += blockDim.x) q[r * n + i] = 0;
      return;
    }
    const float whole = rintf(__fdiv_rn(-low, scale));
    const int zero = whole < 255.0f ? static_cast<int>(whole) : 255;
    if (threadIdx.x == 0) {
      scales[r] = scale;
      zeros[r] = static_cast<u8>(zero);
    }
    const float lowest = static_cast<float>(-zero), highest = static_cast<float>(255 - zero);
    for (i64 i = threadIdx.x; i < n; i += blockDim.x) {
      q[r * n + i] = static_cast<u8>(to_nearest(__fdiv_rn(x[r * n + i], scale), lowest, highest) + zero);
    }
  });
}
