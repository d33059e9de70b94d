// int8_linear.cu: dense layers and convolutions of bytes: plain correct kernels on dp4a, one output a thread; tensor cores (IMMA) are
// cuBLASLt's matter. Neighbours in a warp are neighbouring columns: weights are read in whole lines, x is the same for all of a warp.
//   quantized_linear: (u8* x, int* packed, Target t, i64 m, i64 n, i64 k)
//   dynamic_quantized_linear: (u8* x, row_scale, u8* row_zero, int* packed, bias or null, y, i64 m, i64 n, i64 k, int relu)
//   quantized_conv2d: (u8* x, int* packed, Target t, Conv8 c)
//   256 threads; grid: any, about m n / 256 blocks.
//   pack_quantized: (w, scales, bias or null, int* packed, i64 rows, i64 n, i64 run, int zero_point, float x_scale, float y_scale): 256
//     threads; grid: any, about n / 256 blocks, a thread a column. Groups of four begin anew with each run of rows.
#include "int8.cuh"

CREMA_KERNEL(quantized_linear, kThreads, const u8* x, const int* packed, const Target t, i64 m, i64 n, i64 k) {
  const i64 columns = int8_columns(n), steps = int8_steps(k);
  const int* const offset = packed + steps * columns;
  const float* const scale = reinterpret_cast<const float*>(offset + columns);
  for (i64 i = global_thread(); i < m * n; i += global_threads()) {
    const i64 r = i / n, j = i % n;
    int sum = 0;
    for (i64 s = 0; s < steps; ++s) sum = dot4(four_bytes(x + r * k + 4 * s, k - 4 * s), packed[s * columns + j], sum);
    put_sum(t, i, sum, offset[j], scale[j]);
  }
}

CREMA_KERNEL(dynamic_quantized_linear, kThreads, const u8* x, const float* row_scale, const u8* row_zero, const int* packed,
             const float* bias, float* y, i64 m, i64 n, i64 k, int relu) {
  const i64 columns = int8_columns(n), steps = int8_steps(k);
  const int* const sums = packed + steps * columns;
  const float* const scale = reinterpret_cast<const float*>(sums + columns);
  for (i64 i = global_thread(); i < m * n; i += global_threads()) {
    const i64 r = i / n, j = i % n;
    int sum = 0;
    for (i64 s = 0; s < steps; ++s) sum = dot4(four_bytes(x + r * k + 4 * s, k - 4 * s), packed[s * columns + j], sum);
    y[i] = number_of_sum(sum, row_zero[r], sums[j], row_scale[r], scale[j], bias != nullptr ? bias[j] : 0.0f, relu);
  }
}

// x [n, h, w, c] -> y [n, oh, ow, units].
struct Conv8 {
  i64 images, h, w, c, oh, ow, units;
  i64 kh, kw, stride_h, stride_w, dilation_h, dilation_w, top, left, x_zero;
};

// Bytes of a run are neighbours in x as long as a row of the window is inside; what is not reads as the zero point of x.
CREMA_DEVICE u32 window_bytes(const u8* x, const Conv8& v, i64 image, i64 row, i64 column, i64 dilation, i64 from, i64 run) {
  u32 bytes = 0;
  for (int b = 0; b < 4 && from + b < run; ++b) {
    const i64 q = column + (from + b) / v.c * dilation;
    const bool inside = row >= 0 && row < v.h && q >= 0 && q < v.w;
    const u32 byte = inside ? x[((image * v.h + row) * v.w + q) * v.c + (from + b) % v.c] : static_cast<u32>(v.x_zero);
    bytes |= byte << (8 * b);
  }
  return bytes;
}

CREMA_KERNEL(quantized_conv2d, kThreads, const u8* x, const int* packed, const Target t, const Conv8 v) {
  // Runs as on the CPU: a row of the window, or a pixel of it where columns are dilated.
  const i64 run = v.dilation_w == 1 ? v.kw * v.c : v.c, runs_of_row = v.dilation_w == 1 ? 1 : v.kw;
  const i64 run_steps = int8_steps(run), steps = v.kh * runs_of_row * run_steps, columns = int8_columns(v.units);
  const int* const offset = packed + steps * columns;
  const float* const scale = reinterpret_cast<const float*>(offset + columns);
  const i64 outputs = v.images * v.oh * v.ow * v.units;
  for (i64 i = global_thread(); i < outputs; i += global_threads()) {
    const i64 j = i % v.units, pixel = i / v.units, ox = pixel % v.ow, oy = pixel / v.ow % v.oh, image = pixel / v.ow / v.oh;
    int sum = 0;
    i64 s = 0;
    for (i64 r = 0; r < v.kh; ++r) {
      const i64 row = oy * v.stride_h - v.top + r * v.dilation_h;
      for (i64 part = 0; part < runs_of_row; ++part) {
        const i64 column = ox * v.stride_w - v.left + part * v.dilation_w;
        for (i64 from = 0; from < run; from += 4, ++s) {
          sum = dot4(window_bytes(x, v, image, row, column, 1, from, run), packed[s * columns + j], sum);
        }
      }
    }
    put_sum(t, i, sum, offset[j], scale[j]);
  }
}

CREMA_KERNEL(pack_quantized, kThreads, const float* w, const float* scales, const float* bias, int* packed, i64 rows, i64 n,
             i64 run, int zero_point, float x_scale, float y_scale) {
  const i64 columns = int8_columns(n), run_steps = int8_steps(run), steps = rows / run * run_steps;
  int* const offset = packed + steps * columns;
  float* const scale = reinterpret_cast<float*>(offset + columns);
  for (i64 j = global_thread(); j < columns; j += global_threads()) {
    int total = 0;
    for (i64 s = 0; s < steps; ++s) {
      u32 word = 0;
      for (i64 b = 0; b < 4; ++b) {
        const i64 in_run = s % run_steps * 4 + b;
        if (j >= n || in_run >= run) continue;
        const float v = rintf(__fdiv_rn(w[(s / run_steps * run + in_run) * n + j], scales[j]));
        const int q = is_nan(v) ? 0 : v < -127.0f ? -127 : v > 127.0f ? 127 : static_cast<int>(v);
        total += q;
        word |= static_cast<u32>(q & 255) << (8 * b);
      }
      packed[s * columns + j] = static_cast<int>(word);
    }
    if (j >= n) {
      offset[j] = 0;
      scale[j] = 0.0f;
    } else if (x_scale == 0.0f) {
      offset[j] = total;
      scale[j] = scales[j];
    } else {
      const float product = __fmul_rn(x_scale, scales[j]);
      const double b = bias == nullptr ? 0.0 : rint(static_cast<double>(bias[j]) / product);
      const double most_bias = 2147483647.0;
      const i64 whole = b != b ? 0 : static_cast<i64>(b < -most_bias ? -most_bias : b > most_bias ? most_bias : b);
      offset[j] = static_cast<int>(static_cast<u32>(whole - static_cast<i64>(zero_point) * total));
      scale[j] = y_scale == 0.0f ? product : __fdiv_rn(product, y_scale);
    }
  }
}
