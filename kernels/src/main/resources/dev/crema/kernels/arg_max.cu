// arg_max.cu: position of the greatest element along an axis, the first one where several are equal; NaN counts as the greatest.
//   arg_max: (x, int* y, i64 outer, i64 n, i64 inner): x [outer, n, inner] -> y [outer, inner]. 256 threads; where inner is 1 a row a
//     warp (about outer / 8 blocks), else a thread a column (about outer inner / 256). Reads x once.
#include "rows.cuh"

struct Greatest {
  float value;
  int position;
};
// The one that comes first where both are as great.
CREMA_DEVICE Greatest greater_one(Greatest a, Greatest b) {
  const bool b_is_greater = b.value > a.value || (is_nan(b.value) && !is_nan(a.value));
  const bool equal = b.value == a.value || (is_nan(b.value) && is_nan(a.value));
  return b_is_greater || (equal && b.position < a.position) ? b : a;
}

CREMA_KERNEL(arg_max, kThreads, const float* x, int* y, i64 outer, i64 n, i64 inner) {
  if (inner == 1) {
    each_warp_row(outer, [&](i64 r) {
      // Lanes without an element take the first one.
      const int own = lane_of_warp() < n ? lane_of_warp() : 0;
      Greatest g = {x[r * n + own], own};
      for (i64 i = own + kWarp; i < n; i += kWarp) g = greater_one(g, {x[r * n + i], static_cast<int>(i)});
      for (int step = kWarp / 2; step > 0; step /= 2) {
        g = greater_one(g, {__shfl_xor_sync(kAllLanes, g.value, step), __shfl_xor_sync(kAllLanes, g.position, step)});
      }
      if (lane_of_warp() == 0) y[r] = g.position;
    });
    return;
  }
  for (i64 i = global_thread(); i < outer * inner; i += global_threads()) {
    const float* const column = x + i / inner * n * inner + i % inner;
    Greatest g = {column[0], 0};
    for (i64 k = 1; k < n; ++k) g = greater_one(g, {column[k * inner], static_cast<int>(k)});
    y[i] = g.position;
  }
}
