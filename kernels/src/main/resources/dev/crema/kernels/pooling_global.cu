// pooling_global.cu: gradients of pooling over all pixels of an image, x [n, pixels, c], dy [n, c]. (Forward is a reduction of the
// middle axis: reduce.cu.) float32. 256 threads; grid: any.
//   global_average_pool_grad: (dy, dx, i64 n, i64 pixels, i64 c): about n pixels c / 256 blocks
//   global_max_pool_grad: (x, y, dy, dx, i64 n, i64 pixels, i64 c): the first maximum takes dy (NaN counts as the maximum); a thread a
//     channel of an image, dx written whole
#include "common.cuh"

CREMA_KERNEL(global_average_pool_grad, kThreads, const float* dy, float* dx, i64 n, i64 pixels, i64 c) {
  const float weight = 1.0f / static_cast<float>(pixels);
  for (i64 i = global_thread(); i < n * pixels * c; i += global_threads()) dx[i] = dy[i / (pixels * c) * c + i % c] * weight;
}

CREMA_KERNEL(global_max_pool_grad, kThreads, const float* x, const float* y, const float* dy, float* dx, i64 n, i64 pixels,
             i64 c) {
  for (i64 i = global_thread(); i < n * c; i += global_threads()) {
    const i64 first = i / c * pixels * c + i % c;
    bool open = true;
    for (i64 p = 0; p < pixels; ++p) {
      const float v = x[first + p * c];
      const bool hit = open && (v == y[i] || is_nan(v));
      dx[first + p * c] = hit ? dy[i] : 0.0f;
      open = open && !hit;
    }
  }
}
