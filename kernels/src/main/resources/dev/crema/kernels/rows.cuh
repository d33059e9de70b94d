// rows.cuh: rows of n floats, each the work of a warp that keeps it in registers (n <= kMostWarpRow) or of a block that
// reads it again or keeps it in shared memory. Elements are taken in fours; the k-th four of a row is the same thread's
// whether memory is aligned or not, so that alignment changes no bits.
//
// Kernels NAME_warp: 256 threads, a row a warp: about rows / 8 blocks. Kernels NAME_block: 256 threads, a row a block:
// about `rows` blocks. Any grid works.
#pragma once

#include "common.cuh"

constexpr int kMostWarpRow = 1024;  // floats

// A row in the registers of a warp, 4 Fours floats a lane; what is past its end is `rest`.
template <int Fours>
struct WarpRow {
  float4 v[Fours];

  CREMA_DEVICE_METHOD void load(const float* x, int n, bool whole, float rest) {
    CREMA_UNROLL
    for (int f = 0; f < Fours; ++f) {
      const int i = at(f);
      v[f] = i < n ? load4(x + i, n - i, whole, rest) : make_float4(rest, rest, rest, rest);
    }
  }
  CREMA_DEVICE_METHOD void store(float* y, int n, bool whole) const {
    CREMA_UNROLL
    for (int f = 0; f < Fours; ++f) {
      const int i = at(f);
      if (i < n) store4(y + i, v[f], n - i, whole);
    }
  }
  CREMA_DEVICE_METHOD static int at(int f) { return (f * kWarp + lane_of_warp()) * 4; }
  // Replaces every element by g(element, its index).
  template <typename G>
  CREMA_DEVICE_METHOD void map(G g) {
    CREMA_UNROLL
    for (int f = 0; f < Fours; ++f) {
      const int i = at(f);
      v[f] = make_float4(g(v[f].x, i), g(v[f].y, i + 1), g(v[f].z, i + 2), g(v[f].w, i + 3));
    }
  }
  // Joins g(element) over the row, in all lanes.
  template <typename Join, typename G>
  CREMA_DEVICE_METHOD float join(float start, Join j, G g) const {
    float a = start, b = start;
    CREMA_UNROLL
    for (int f = 0; f < Fours; ++f) {
      a = j(a, j(g(v[f].x), g(v[f].y)));
      b = j(b, j(g(v[f].z), g(v[f].w)));
    }
    return warp_join(j(a, b), j);
  }
};

// Calls f(std-like integral constant of fours a lane) that suffices for n floats.
template <int N>
struct Fours {
  static constexpr int value = N;
};
template <typename F>
CREMA_DEVICE void with_fours(int n, F f) {
  if (n <= 128) {
    f(Fours<1>());
  } else if (n <= 256) {
    f(Fours<2>());
  } else if (n <= 512) {
    f(Fours<4>());
  } else {
    f(Fours<8>());
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
// Calls f(first element, how many are left) for this thread's fours of a row of the block.
template <typename F>
CREMA_DEVICE void each_four(i64 n, F f) {
  for (i64 i = 4 * static_cast<i64>(threadIdx.x); i < n; i += 4 * static_cast<i64>(blockDim.x)) f(i, n - i);
}

// A row that a block reads several times: from memory, or from shared memory where it has been copied on the first read.
struct BlockRow {
  const float* x;
  float* cache;  // null: none
  bool whole;

  CREMA_DEVICE_METHOD float4 first(i64 i, i64 left, float rest) const {
    const float4 v = load4(x + i, left, whole, rest);
    if (cache != nullptr) store4(cache + i, v);  // room for whole fours
    return v;
  }
  CREMA_DEVICE_METHOD float4 again(i64 i, i64 left, float rest) const {
    return cache != nullptr ? load4(cache + i) : load4(x + i, left, whole, rest);
  }
};

CREMA_DEVICE float sum_of_four(float4 v) { return (v.x + v.y) + (v.z + v.w); }
// g(element) of four elements, the last ones, which are not there, being 0.
template <typename G>
CREMA_DEVICE float sum_of_four(float4 v, i64 left, G g) {
  return ((left > 0 ? g(v.x) : 0.0f) + (left > 1 ? g(v.y) : 0.0f)) + ((left > 2 ? g(v.z) : 0.0f) + (left > 3 ? g(v.w) : 0.0f));
}
template <typename G>
CREMA_DEVICE float4 map_four(float4 v, G g) {
  return make_float4(g(v.x), g(v.y), g(v.z), g(v.w));
}
template <typename G>
CREMA_DEVICE float4 map_fours(float4 a, float4 b, G g) {
  return make_float4(g(a.x, b.x), g(a.y, b.y), g(a.z, b.z), g(a.w, b.w));
}
