// fake_quantize.cu: weights rounded to the numbers that bytes can stand for: every column (the last axis) as multiples of a 127th
// of its largest magnitude, and rows read from tables likewise; NaN is none and stays. (Of activations: element-wise.) float32.
//   fake_quantize_weights: (w, y, i64 rows, i64 n): 256 threads take 32 columns: grid any, about n / 32 blocks. Reads w twice.
//   fake_quantize_rows: (x, y, i64 rows, i64 n): 256 threads, a row a warp: grid any, about rows / 8 blocks. Reads x twice.
#include "rows.cuh"

CREMA_KERNEL(fake_quantize_weights, kThreads, const float* w, float* y, i64 rows, i64 n) {
  CREMA_SHARED_ROWS(float, magnitudes, kThreads / kWarp, kWarp);
  const int lane = lane_of_warp(), warp = warp_of_block();
  each_block_row((n + kWarp - 1) / kWarp, [&](i64 slice) {
    const i64 j = slice * kWarp + lane;
    float m = 0.0f;
    if (j < n) {
      for (i64 r = warp; r < rows; r += warps_of_block()) m = at_least(m, fabsf(w[r * n + j]));
    }
    __syncthreads();
    magnitudes[warp][lane] = m;
    __syncthreads();
    m = 0.0f;
    for (int k = 0; k < warps_of_block(); ++k) m = at_least(m, magnitudes[k][lane]);
    const float scale = m > 0.0f ? __fdiv_rn(m, 127.0f) : 1.0f;
    if (j < n) {
      for (i64 r = warp; r < rows; r += warps_of_block()) y[r * n + j] = rintf(__fdiv_rn(w[r * n + j], scale)) * scale;
    }
  });
}

CREMA_KERNEL(fake_quantize_rows, kThreads, const float* x, float* y, i64 rows, i64 n) {
  each_warp_row(rows, [&](i64 r) {
    float m = 0.0f;
    for (i64 i = lane_of_warp(); i < n; i += kWarp) m = at_least(m, fabsf(x[r * n + i]));
    m = warp_join(m, GreaterNumber());
    const float scale = m > 0.0f ? fmaxf(__fdiv_rn(m, 127.0f), 1.17549435e-38f) : 1.0f;  // the least normal number
    for (i64 i = lane_of_warp(); i < n; i += kWarp) y[r * n + i] = rintf(__fdiv_rn(x[r * n + i], scale)) * scale;
  });
}
