// rows.cuh: rows of n numbers, each the work of a warp that keeps it in registers (n <= kMostWarpRow) or of a block that
// reads it again or keeps it in shared memory. Numbers are taken in packs of 16 bytes; the k-th pack of a row is the same thread's
// whether memory is aligned or not, so that alignment changes no bits.
//
// Kernels NAME_warp: 256 threads, a row a warp: about rows / 8 blocks. Kernels NAME_block: 256 threads, a row a block:
// about `rows` blocks. Any grid works. Both come for each type stored: NAME_warp_f32, _bf16, _f16.
#pragma once

#include "storage.cuh"

constexpr int kMostWarpRow = 1024;  // numbers

// A row in the registers of a warp, so many packs of numbers stored as T a lane; what is past its end is `rest`.
template <typename T, int Packs>
struct WarpRow {
  static constexpr int kWidth = kPack<T>;
  Numbers<kWidth> v[Packs];

  CREMA_DEVICE_METHOD void load(const T* x, int n, bool whole, float rest) {
    CREMA_UNROLL
    for (int p = 0; p < Packs; ++p) {
      const int i = at(p);
      v[p] = i < n ? ::load<kWidth>(x + i, n - i, whole, rest) : all_of<kWidth>(rest);
    }
  }
  CREMA_DEVICE_METHOD void store(T* y, int n, bool whole) const {
    CREMA_UNROLL
    for (int p = 0; p < Packs; ++p) {
      const int i = at(p);
      if (i < n) ::store(y + i, v[p], n - i, whole);
    }
  }
  CREMA_DEVICE_METHOD static int at(int p) { return (p * kWarp + lane_of_warp()) * kWidth; }
  // Replaces every number by g(number, its index).
  template <typename G>
  CREMA_DEVICE_METHOD void map(G g) {
    CREMA_UNROLL
    for (int p = 0; p < Packs; ++p) {
      CREMA_UNROLL
      for (int k = 0; k < kWidth; ++k) v[p].v[k] = g(v[p].v[k], at(p) + k);
    }
  }
  // Replaces every number by g(number, the other row's).
  template <typename G>
  CREMA_DEVICE_METHOD void map(const WarpRow& other, G g) {
    CREMA_UNROLL
    for (int p = 0; p < Packs; ++p) v[p] = ::map(v[p], other.v[p], g);
  }
  // Joins g(number) over the row, in all lanes.
  template <typename Join, typename G>
  CREMA_DEVICE_METHOD float join(float start, Join j, G g) const {
    float a = start, b = start;
    CREMA_UNROLL
    for (int p = 0; p < Packs; ++p) {
      CREMA_UNROLL
      for (int k = 0; k < kWidth; k += 4) {
        a = j(a, j(g(v[p].v[k]), g(v[p].v[k + 1])));
        b = j(b, j(g(v[p].v[k + 2]), g(v[p].v[k + 3])));
      }
    }
    return warp_join(j(a, b), j);
  }
  // Sum of g(number, the other row's), in all lanes.
  template <typename G>
  CREMA_DEVICE_METHOD float sum(const WarpRow& other, G g) const {
    float sum = 0.0f;
    CREMA_UNROLL
    for (int p = 0; p < Packs; ++p) sum += sum_of(::map(v[p], other.v[p], g));
    return warp_sum(sum);
  }
};

// Calls f(std-like integral constant of packs a lane) that suffices for n numbers stored as T.
template <int N>
struct Packs {
  static constexpr int value = N;
};
template <typename T, typename F>
CREMA_DEVICE void with_packs(int n, F f) {
  constexpr int kOne = kWarp * kPack<T>;
  if (n <= kOne) {
    f(Packs<1>());
  } else if (n <= 4 * kOne) {
    f(Packs<4>());
  } else if constexpr (4 * kOne < kMostWarpRow) {
    f(Packs<kMostWarpRow / kOne>());
  }
}

// Calls f(row) for the rows of this warp.
template <typename F>
CREMA_DEVICE void each_warp_row(i64 rows, F f) {
  const i64 step = static_cast<i64>(gridDim.x) * warps_of_block();
  for (i64 r = static_cast<i64>(blockIdx.x) * warps_of_block() + warp_of_block(); r < rows; r += step) f(r);
}
// Calls f(row) for the rows of this block.
template <typename F>
CREMA_DEVICE void each_block_row(i64 rows, F f) {
  for (i64 r = blockIdx.x; r < rows; r += gridDim.x) f(r);
}
// Calls f(first number, how many are left) for this thread's packs of N of a row of the block.
template <int N, typename F>
CREMA_DEVICE void each_pack(i64 n, F f) {
  for (i64 i = N * static_cast<i64>(threadIdx.x); i < n; i += N * static_cast<i64>(blockDim.x)) f(i, n - i);
}

// A row that a block reads several times: from memory, or from shared memory where it has been copied on the first read.
template <typename T>
struct BlockRow {
  static constexpr int kWidth = kPack<T>;
  const T* x;
  float* cache;  // null: none; room for whole packs
  bool whole;

  CREMA_DEVICE_METHOD Numbers<kWidth> first(i64 i, i64 left, float rest) const {
    const Numbers<kWidth> v = load<kWidth>(x + i, left, whole, rest);
    if (cache != nullptr) store_whole(cache + i, v);
    return v;
  }
  CREMA_DEVICE_METHOD Numbers<kWidth> again(i64 i, i64 left, float rest) const {
    return cache != nullptr ? load_whole<kWidth>(static_cast<const float*>(cache) + i) : load<kWidth>(x + i, left, whole, rest);
  }
};

// Whether rows of n numbers can be read and written by whole packs at these addresses.
template <typename T, typename... Pointers>
CREMA_DEVICE bool whole_rows(i64 n, const T* first, Pointers... others) {
  bool whole = n % kPack<T> == 0 && is_aligned(first, 16);
  const bool each[] = {true, is_aligned(others, 16)...};
  for (const bool aligned : each) whole = whole && aligned;
  return whole;
}
