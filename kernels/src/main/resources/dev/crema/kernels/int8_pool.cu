// int8_pool.cu: means of unsigned bytes, of exact sums: v = float(sum of x - zero point of x) (scale / pixels). Maxima: pooling.cu.
//   quantized_average_pool2d: (u8* x, Target t, Pool p, int x_zero, float scale); padding is 0
//   quantized_global_average_pool: (u8* x, Target t, i64 n, i64 pixels, i64 c, int x_zero, float scale)
//   256 threads; grid: any, about outputs / 256 blocks.
#include "int8.cuh"
#include "pooling.cuh"

CREMA_KERNEL(quantized_average_pool2d, kThreads, const u8* x, const Target t, const Pool p, int x_zero, float scale) {
  for (i64 i = global_thread(); i < pool_outputs(p); i += global_threads()) {
    const Pixel o = pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels);
    int sum = 0, pixels = 0;
    each_input(p, o, [&](i64 at) {
      sum += static_cast<int>(x[at]);
      ++pixels;
    });
    const float weight = __fdiv_rn(scale, static_cast<float>(window_pixels(p, o.y, o.x)));
    put_number(t, i, __fmul_rn(static_cast<float>(sum - pixels * x_zero), weight));
  }
}

CREMA_KERNEL(quantized_global_average_pool, kThreads, const u8* x, const Target t, i64 n, i64 pixels, i64 c, int x_zero,
             float scale) {
  const float weight = __fdiv_rn(scale, static_cast<float>(pixels));
  for (i64 i = global_thread(); i < n * c; i += global_threads()) {
    int sum = 0;
    for (i64 p = 0; p < pixels; ++p) sum += static_cast<int>(x[(i / c * pixels + p) * c + i % c]);
    put_number(t, i, __fmul_rn(static_cast<float>(sum - static_cast<int>(pixels) * x_zero), weight));
  }
}
