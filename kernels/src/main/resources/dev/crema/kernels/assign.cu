// assign.cu: a tensor stored in a variable, or added to it. What is stored is copied by the driver where nothing can fail before.
//   assign_SIZE: (x, y, u64* errors or null, i64 n): y = x, n elements of SIZE bytes
//   assign_add: (x, y, u64* errors or null, i64 n): y += x, float32
// They must not overlap. Nothing is done where a kernel before failed. 256 threads; grid: any.
#include "move.cuh"

template <typename T>
CREMA_DEVICE void assign(const void* x, void* y, const u64* errors, i64 n) {
  if (has_failed(errors)) return;
  for (i64 i = global_thread(); i < n; i += global_threads()) static_cast<T*>(y)[i] = static_cast<const T*>(x)[i];
}

CREMA_BY_SIZE(assign, assign, (const void* x, void* y, const u64* errors, i64 n), (x, y, errors, n))

CREMA_KERNEL(assign_add, kThreads, const float* x, float* y, const u64* errors, i64 n) {
  if (has_failed(errors)) return;
  for (i64 i = global_thread(); i < n; i += global_threads()) y[i] += x[i];
}
