// columns.cuh: what is summed over the rows of a matrix [rows, n], column by column, in pieces of rows. A block of 256 threads stands
// over the matrix `width` lanes wide, each lane taking V adjoining columns, and as many rows deep as its threads suffice for. V is
// what 16 bytes of T hold where n is a multiple of that, else 1; pointers that are not aligned change no bits.
#pragma once

#include "storage.cuh"

template <int V>
struct Columns {
  static constexpr int kColumns = V;
  int width, depth;  // lanes beside one another, a power of two up to a warp; rows below one another
  int lane, row;     // of this thread
  i64 slices;        // of all columns

  CREMA_DEVICE_METHOD explicit Columns(i64 n) {
    width = kWarp;
    while (width / 2 * V >= n && width > 1) width /= 2;
    depth = static_cast<int>(blockDim.x) / width;
    lane = static_cast<int>(threadIdx.x) % width;
    row = static_cast<int>(threadIdx.x) / width;
    slices = (n + width * V - 1) / (width * V);
  }
  // The first column of this thread in a slice; it may be past the end.
  CREMA_DEVICE_METHOD i64 column(i64 slice) const { return (slice * width + lane) * V; }
};

template <typename T, typename F>
CREMA_DEVICE void with_columns(i64 n, F f) {
  if (n % kPack<T> == 0) {
    f(Columns<kPack<T>>(n));
  } else {
    f(Columns<1>(n));
  }
}

// Calls f(piece, its first row, its last row + 1, slice) for the pieces and slices of this block: of `outer` matrices, one behind the
// other, each in the same number of pieces.
template <int V, typename F>
CREMA_DEVICE void each_piece(const Columns<V>& c, i64 outer, i64 rows, i64 piece, F f) {
  const i64 pieces = (rows + piece - 1) / piece;
  for (i64 b = blockIdx.x; b < outer * pieces * c.slices; b += gridDim.x) {
    const i64 p = b / c.slices, from = p % pieces * piece;
    f(p, from, least(rows, from + piece), b % c.slices);
  }
}

// Joins what the threads of a column have, in those of row 0. A barrier before and after: calls may follow one another.
template <int V, int Count, typename Join>
CREMA_DEVICE void join_rows(const Columns<V>& c, Numbers<V> (&sums)[Count], Join join) {
  CREMA_SHARED(float, partial, Count * V * kThreads);
  float* const own = partial + threadIdx.x;
  __syncthreads();
  CREMA_UNROLL
  for (int s = 0; s < Count; ++s) {
    CREMA_UNROLL
    for (int k = 0; k < V; ++k) own[(s * V + k) * kThreads] = sums[s].v[k];
  }
  for (int half = c.depth / 2; half > 0; half /= 2) {
    __syncthreads();
    if (c.row >= half) continue;
    CREMA_UNROLL
    for (int i = 0; i < Count * V; ++i) own[i * kThreads] = join(own[i * kThreads], own[i * kThreads + half * c.width]);
  }
  __syncthreads();
  CREMA_UNROLL
  for (int s = 0; s < Count; ++s) {
    CREMA_UNROLL
    for (int k = 0; k < V; ++k) sums[s].v[k] = own[(s * V + k) * kThreads];
  }
}
