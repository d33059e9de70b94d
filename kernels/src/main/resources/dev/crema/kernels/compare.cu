// compare.cu: whether two results are the same to the bit.
//   first_difference: (u8* a, u8* b, i64 n, u64* first): the least place where they part, if that is less than what stands in first. 256
//     threads; grid: any, about n / 4096 blocks (16 bytes a thread). Limit: both are read once.
#include "common.cuh"

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
