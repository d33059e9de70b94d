// convert.cu: float32 to bfloat16 and back, for products whose factors are rounded.
//   f32_to_bf16: (x, u16* y, i64 n); bf16_to_f32: (u16* x, y, i64 n). 256 threads; grid: any, about n / 1024 blocks.
#include "storage.cuh"

template <typename From, typename To>
CREMA_DEVICE void convert(const From* x, To* y, i64 n) {
  constexpr int kWidth = 8;
  const bool whole = is_aligned(x, 16) && is_aligned(y, 16);
  for (i64 i = kWidth * global_thread(); i < n; i += kWidth * global_threads()) {
    store(y + i, load<kWidth>(x + i, n - i, whole, 0.0f), n - i, whole);
  }
}

CREMA_KERNEL(f32_to_bf16, kThreads, const float* x, bf16* y, i64 n) { convert(x, y, n); }
CREMA_KERNEL(bf16_to_f32, kThreads, const bf16* x, float* y, i64 n) { convert(x, y, n); }
