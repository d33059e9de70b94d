// convert.cu: float32 to bfloat16 and back, to the nearest, half to even. NaN stays NaN.
//   f32_to_bf16: (x, u16* y, i64 n); bf16_to_f32: (u16* x, y, i64 n). 256 threads; grid: any, about n / 1024 blocks.
#include "common.cuh"

CREMA_DEVICE u16 bf16_of(float x) {
  const u32 bits = __float_as_uint(x);
  if (is_nan(x)) return static_cast<u16>(bits >> 16 | 0x40u);
  return static_cast<u16>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

CREMA_KERNEL(f32_to_bf16, kThreads, const float* x, u16* y, i64 n) {
  const bool whole = is_aligned(x, 16) && is_aligned(y, 8);
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    const float4 v = load4(x + i, n - i, whole, 0.0f);
    const ushort4 b = make_ushort4(bf16_of(v.x), bf16_of(v.y), bf16_of(v.z), bf16_of(v.w));
    if (whole && n - i >= 4) {
      *reinterpret_cast<ushort4*>(y + i) = b;
      continue;
    }
    y[i] = b.x;
    if (n - i > 1) y[i + 1] = b.y;
    if (n - i > 2) y[i + 2] = b.z;
    if (n - i > 3) y[i + 3] = b.w;
  }
}

CREMA_KERNEL(bf16_to_f32, kThreads, const u16* x, float* y, i64 n) {
  for (i64 i = global_thread(); i < n; i += global_threads()) y[i] = __uint_as_float(static_cast<u32>(x[i]) << 16);
}
