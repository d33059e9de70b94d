// compare.cu: whether two results are the same to the bit, or but for rounding.
//   first_difference: (u8* a, u8* b, i64 n, u64* first): the least place where they part, if that is less than what stands in first. 256
//     threads; grid: any, about n / 4096 blocks (16 bytes a thread). Limit: both are read once.
//   greatest_magnitude: (T* a, i64 n, u64* most): the bits of the greatest finite |a|, as float32, if they are more than what stands there.
//   first_far: (T* a, T* b, i64 n, u64* most, float neighbours, float all, u64* first): the least place where a and b are further apart than
//     neighbours · the greatest |b| among the 256 around it + all · the number that greatest_magnitude has found of b; where one is
//     NaN, or infinite, and the other not the same; if it is less than what stands in first. Both: 256 threads; grid: any.
#include "storage.cuh"

CREMA_KERNEL(first_difference, kThreads, const u8* a, const u8* b, i64 n, u64* first) {
  const bool whole = is_aligned(a, 16) && is_aligned(b, 16);
  i64 place = -1;
  for (i64 i = 16 * global_thread(); i < n && place < 0; i += 16 * global_threads()) {
    if (whole && n - i >= 16) {
      const uint4 p = *reinterpret_cast<const uint4*>(a + i), q = *reinterpret_cast<const uint4*>(b + i);
      if (p.x == q.x && p.y == q.y && p.z == q.z && p.w == q.w) continue;
    }
    for (int e = 0; e < 16 && place < 0; ++e) {
      if (i + e < n && a[i + e] != b[i + e]) place = i + e;
    }
  }
  if (place >= 0) atomicMin(first, static_cast<u64>(place));
}

CREMA_DEVICE float finite_magnitude(float x) { return fabsf(x) < CREMA_INFINITY ? fabsf(x) : 0.0f; }

template <typename T>
CREMA_DEVICE void greatest_magnitude(const T* a, i64 n, u64* most) {
  float greatest = 0;
  for (i64 i = global_thread(); i < n; i += global_threads()) greatest = greater_of(greatest, finite_magnitude(to_float(a[i])));
  greatest = block_join(greatest, Greater(), 0.0f);
  if (threadIdx.x == 0) atomicMax(most, static_cast<u64>(__float_as_uint(greatest)));
}

CREMA_DEVICE bool is_near(float x, float y, float bound) {
  if (is_nan(x) || is_nan(y)) return is_nan(x) && is_nan(y);
  return x == y || fabsf(x - y) <= bound;  // an infinity less the other, or less a number, is infinite
}

template <typename T>
CREMA_DEVICE void first_far(const T* a, const T* b, i64 n, const u64* most, float neighbours, float all, u64* first) {
  const float of_all = all * __uint_as_float(static_cast<u32>(*most));
  for (i64 start = static_cast<i64>(blockIdx.x) * kThreads; start < n; start += static_cast<i64>(gridDim.x) * kThreads) {
    const i64 i = start + threadIdx.x;
    const float y = i < n ? to_float(b[i]) : 0.0f;
    const float greatest = block_join(finite_magnitude(y), Greater(), 0.0f);
    if (i < n && !is_near(to_float(a[i]), y, neighbours * greatest + of_all)) atomicMin(first, static_cast<u64>(i));
  }
}

#define CREMA_NEAR(type, T)                                                                                             \
  CREMA_KERNEL(greatest_magnitude_##type, kThreads, const T* a, i64 n, u64* most) { greatest_magnitude(a, n, most); }   \
  CREMA_KERNEL(first_far_##type, kThreads, const T* a, const T* b, i64 n, const u64* most, float neighbours, float all, \
               u64* first) {                                                                                            \
    first_far(a, b, n, most, neighbours, all, first);                                                                   \
  }
CREMA_EACH_TYPE(CREMA_NEAR)
