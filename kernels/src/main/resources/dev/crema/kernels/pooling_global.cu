// pooling_global.cu: gradients of pooling over all pixels of an image, x [n, pixels, c], dy [n, c]. (Forward is a reduction of the
// middle axis: reduce.cu.) Tensors are stored as T. 256 threads; grid: any.
//   global_average_pool_grad_T: (dy, dx, i64 n, i64 pixels, i64 c): about n pixels c / 256 blocks
//   global_max_pool_grad_T: (x, y, dy, dx, i64 n, i64 pixels, i64 c): the first maximum takes dy (NaN counts as the maximum); a thread a
//     channel of an image, dx written whole
#include "storage.cuh"

template <typename T>
CREMA_DEVICE void global_average_pool_grad(const T* dy, T* dx, i64 n, i64 pixels, i64 c) {
  const float weight = 1.0f / static_cast<float>(pixels);
  for (i64 i = global_thread(); i < n * pixels * c; i += global_threads()) {
    put(dx + i, to_float(dy[i / (pixels * c) * c + i % c]) * weight);
  }
}

template <typename T>
CREMA_DEVICE void global_max_pool_grad(const T* x, const T* y, const T* dy, T* dx, i64 n, i64 pixels, i64 c) {
  for (i64 i = global_thread(); i < n * c; i += global_threads()) {
    const i64 first = i / c * pixels * c + i % c;
    const float maximum = to_float(y[i]), flow = to_float(dy[i]);
    bool open = true;
    for (i64 p = 0; p < pixels; ++p) {
      const float v = to_float(x[first + p * c]);
      const bool hit = open && (v == maximum || is_nan(v));
      put(dx + first + p * c, hit ? flow : 0.0f);
      open = open && !hit;
    }
  }
}

#define CREMA_GLOBAL_POOLS(type, T)                                                                                      \
  CREMA_KERNEL(global_average_pool_grad_##type, kThreads, const T* dy, T* dx, i64 n, i64 pixels, i64 c) {                \
    global_average_pool_grad(dy, dx, n, pixels, c);                                                                      \
  }                                                                                                                      \
  CREMA_KERNEL(global_max_pool_grad_##type, kThreads, const T* x, const T* y, const T* dy, T* dx, i64 n, i64 pixels,     \
               i64 c) {                                                                                                  \
    global_max_pool_grad(x, y, dy, dx, n, pixels, c);                                                                    \
  }
CREMA_EACH_TYPE(CREMA_GLOBAL_POOLS)
