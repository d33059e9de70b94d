// weight_only_linear.cu: products of float32 x and weights of 8 or 4 bits: whole numbers from -127 to 127 or from -7 to 7 times the
// scale of a column's `group` consecutive rows.
//
// Packed weights, in as many words as on the CPU: for every 4 (8 bits) or 8 (4 bits) steps of k and every column (n rounded up to 16) a
// word that holds them, the first in the lowest bits, in two's complement; then the scales [groups, columns].
//   weight_only_linear: (x, int* packed, y, i64 m, i64 n, i64 k, int bits, i64 group): for few rows of x: y = x w, a thread an output
//   unpack_weight_only: (int* packed, w, i64 n, i64 k, int bits, i64 group): w [k, n] as float32, for a product by a library
//   pack_weight_only: (w, scales [groups, n], int* packed, i64 n, i64 k, int bits, i64 group): a thread a column of a word
//   256 threads; grid: any. Limit: packed weights read once for every row of x.
#include "common.cuh"

CREMA_DEVICE i64 steps_of_word(int bits) { return bits == 8 ? 4 : 8; }
CREMA_DEVICE i64 columns_of(i64 n) { return (n + 15) / 16 * 16; }
CREMA_DEVICE const float* scales_of(const int* packed, i64 n, i64 k, int bits) {
  const i64 steps = steps_of_word(bits);
  return reinterpret_cast<const float*>(packed + (k + steps - 1) / steps * columns_of(n));
}
// The whole number of step i of a word.
CREMA_DEVICE float number_of(int word, int i, int bits) {
  const u32 left = static_cast<u32>(word) << (32 - bits * (i + 1));
  return static_cast<float>(static_cast<int>(left) >> (32 - bits));
}

CREMA_KERNEL(weight_only_linear, kThreads, const float* x, const int* packed, float* y, i64 m, i64 n, i64 k, int bits,
             i64 group) {
  const i64 columns = columns_of(n), steps = steps_of_word(bits);
  const float* const scales = scales_of(packed, n, k, bits);
  for (i64 i = global_thread(); i < m * n; i += global_threads()) {
    const float* const row = x + i / n * k;
    const i64 j = i % n;
    float total = 0.0f;
    for (i64 begin = 0; begin < k; begin += group) {
      float sum = 0.0f;
      for (i64 p = begin; p < least(k, begin + group); ++p) {
        sum += row[p] * number_of(packed[p / steps * columns + j], static_cast<int>(p % steps), bits);
      }
      total += sum * scales[begin / group * columns + j];
    }
    y[i] = total;
  }
}

CREMA_KERNEL(unpack_weight_only, kThreads, const int* packed, float* w, i64 n, i64 k, int bits, i64 group) {
  const i64 columns = columns_of(n), steps = steps_of_word(bits);
  const float* const scales = scales_of(packed, n, k, bits);
  for (i64 i = global_thread(); i < k * n; i += global_threads()) {
    const i64 p = i / n, j = i % n;
    w[i] = number_of(packed[p / steps * columns + j], static_cast<int>(p % steps), bits) * scales[p / group * columns + j];
  }
}

CREMA_KERNEL(pack_weight_only, kThreads, const float* w, const float* scales, int* packed, i64 n, i64 k, int bits, i64 group) {
  const i64 columns = columns_of(n), steps = steps_of_word(bits), words = (k + steps - 1) / steps;
  const i64 groups = (k + group - 1) / group;
  const float limit = bits == 8 ? 127.0f : 7.0f;
  float* const to = reinterpret_cast<float*>(packed + words * columns);
  for (i64 i = global_thread(); i < (words + groups) * columns; i += global_threads()) {
    const i64 j = i % columns, row = i / columns;
    if (row >= words) {
      to[i - words * columns] = j < n ? scales[(row - words) * n + j] : 0.0f;
      continue;
    }
    u32 word = 0;
    for (i64 b = 0; b < steps; ++b) {
      const i64 p = row * steps + b;
      if (p >= k || j >= n) continue;
      const float v = rintf(__fdiv_rn(w[p * n + j], scales[p / group * n + j]));
      const int q = static_cast<int>(is_nan(v) ? 0.0f : v < -limit ? -limit : v > limit ? limit : v);
      word |= (static_cast<u32>(q) & ((1u << bits) - 1u)) << (bits * static_cast<int>(b));
    }
    packed[i] = static_cast<int>(word);
  }
}
