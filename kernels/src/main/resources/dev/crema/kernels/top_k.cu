// top_k.cu: the k greatest of each row, in descending order, and their positions; equal ones in order of position; NaN counts as
// the greatest.
//   top_k: (x, values, int* positions, i64 rows, i64 n, i64 k): a row a block of 256. Elements become 64-bit keys (order of
//     the value, then of the position), all different; a block keeps the best 1024 it has seen and sorts them with the next 1024.
//     k <= 1024; reads x once.
//   top_k_large: the same for k > 1024, by counting for each element those before it: n^2 comparisons a row.
//   top_k_grad: (int* positions, dy, dx, i64 rows, i64 n, i64 k): dx is zero before; a thread an element of dy.
#include "rows.cuh"

constexpr int kBest = 1024;

// Ascending keys for descending values, then ascending positions. NaN is before all, +0 and -0 are equal.
CREMA_DEVICE u64 key_of(float value, i64 position) {
  const float v = value == 0.0f ? 0.0f : value;
  const u32 bits = __float_as_uint(v);
  const u32 ascending = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  const u32 descending = is_nan(value) ? 0u : ~ascending;
  return static_cast<u64>(descending) << 32 | static_cast<u64>(position);
}

// Sorts 2 kBest keys, ascending.
CREMA_DEVICE void sort_all(u64* keys) {
  for (int block = 2; block <= 2 * kBest; block *= 2) {
    for (int step = block / 2; step > 0; step /= 2) {
      __syncthreads();
      for (int t = static_cast<int>(threadIdx.x); t < kBest; t += static_cast<int>(blockDim.x)) {
        const int low = t / step * 2 * step + t % step, high = low + step;
        const u64 a = keys[low], b = keys[high];
        if ((a > b) == ((low & block) == 0)) {
          keys[low] = b;
          keys[high] = a;
        }
      }
    }
  }
  __syncthreads();
}

CREMA_KERNEL(top_k, kThreads, const float* x, float* values, int* positions, i64 rows, i64 n, i64 k) {
  CREMA_SHARED(u64, keys, 2 * kBest);
  each_block_row(rows, [&](i64 r) {
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < kBest; i += static_cast<int>(blockDim.x)) keys[i] = ~0ull;
    for (i64 from = 0; from < n; from += kBest) {
      for (i64 i = threadIdx.x; i < kBest; i += blockDim.x) {
        keys[kBest + i] = from + i < n ? key_of(x[r * n + from + i], from + i) : ~0ull;
      }
      sort_all(keys);
    }
    for (i64 i = threadIdx.x; i < k; i += blockDim.x) {
      const i64 position = static_cast<i64>(keys[i] & 0xffffffffu);
      values[r * k + i] = x[r * n + position];
      positions[r * k + i] = static_cast<int>(position);
    }
  });
}

CREMA_KERNEL(top_k_large, kThreads, const float* x, float* values, int* positions, i64 rows, i64 n, i64 k) {
  for (i64 e = global_thread(); e < rows * n; e += global_threads()) {
    const float* const row = x + e / n * n;
    const u64 own = key_of(row[e % n], e % n);
    i64 before = 0;
    for (i64 i = 0; i < n && before < k; ++i) before += key_of(row[i], i) < own ? 1 : 0;
    if (before < k) {
      values[e / n * k + before] = row[e % n];
      positions[e / n * k + before] = static_cast<int>(e % n);
    }
  }
}

CREMA_KERNEL(top_k_grad, kThreads, const int* positions, const float* dy, float* dx, i64 rows, i64 n, i64 k) {
  for (i64 i = global_thread(); i < rows * k; i += global_threads()) dx[i / k * n + positions[i]] = dy[i];
}
