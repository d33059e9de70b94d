// int8_pack.cu: weights as products of bytes take them (int8.cuh).
//   pack_quantized: (w, scales, bias or null, int* packed, i64 rows, i64 n, i64 run, int zero_point, float x_scale, float y_scale): 256
//     threads; grid: any, about n / 256 blocks, a thread a column. Groups of four begin anew with each run of rows.
#include "int8.cuh"

CREMA_KERNEL(pack_quantized, kThreads, const float* w, const float* scales, const float* bias, int* packed, i64 rows, i64 n,
             i64 run, int zero_point, float x_scale, float y_scale) {
  const i64 columns = packed_columns(n), run_steps = packed_steps(run), steps = rows / run * run_steps;
  int* const offset = packed + steps * columns;
  float* const scale = reinterpret_cast<float*>(offset + columns);
  int* const totals = offset + 2 * columns;
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
      packed[j * steps + s] = static_cast<int>(word);
    }
    totals[j] = total;
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
