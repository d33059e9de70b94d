// scatter.cuh: rows taken by index, and the gradient: rows added at their indices, every sum in the order of the indices. Sums in
// order need the positions of each index in order: pairs (index, position) are sorted, as 64-bit keys that are all different, so
// that every way to sort them gives the same order.
#pragma once

#include "move.cuh"
#include "storage.cuh"

// x [outer, bound, row], indices [count] -> y [outer, count, row]; rows of `padding` (-1: none), and of indices out of range, which
// are reported, are zero. A thread an element.
template <typename T>
CREMA_DEVICE void gather_rows(const void* indices, int wide, const void* x, void* y, i64 outer, i64 bound, i64 count, i64 row,
                              i64 padding, u64* errors, int slot) {
  const i64 n = outer * count * row;
  const bool small = n <= 0xffffffffll;
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    const i64 r = small ? static_cast<u32>(i) / static_cast<u32>(row) : i / row;
    const i64 o = r / count, position = r - o * count, index = index_at(indices, wide, position);
    const bool known = index >= 0 && index < bound;
    if (!known && i == position * row) report(errors, slot, position, index);
    static_cast<T*>(y)[i] = known && index != padding ? static_cast<const T*>(x)[(o * bound + index) * row + (i - r * row)] : T{};
  }
}

constexpr i64 kSortPiece = 2048;  // keys that a block sorts in shared memory: 16 KB
constexpr u64 kLastKey = ~0ull;   // of no index

// keys [padded]: index << 32 | position, kLastKey for what is behind `count`, for padding and for what is out of range.
CREMA_DEVICE void make_keys(const void* indices, int wide, u64* keys, i64 count, i64 padded, i64 bound, i64 padding, u64* errors,
                            int slot) {
  for (i64 i = global_thread(); i < padded; i += global_threads()) {
    u64 key = kLastKey;
    if (i < count) {
      const i64 index = index_at(indices, wide, i);
      if (index < 0 || index >= bound) {
        report(errors, slot, i, index);
      } else if (index != padding) {
        key = static_cast<u64>(index) << 32 | static_cast<u64>(i);
      }
    }
    keys[i] = key;
  }
}

CREMA_DEVICE void order_pair(u64* keys, i64 low, i64 high, bool ascending) {
  const u64 a = keys[low], b = keys[high];
  if ((a > b) == ascending) {
    keys[low] = b;
    keys[high] = a;
  }
}

// Bitonic sorting (Batcher 1968). Steps whose partners are less than a piece apart, in shared memory: with `whole` all steps that
// sort pieces from nothing (block sizes 2 .. kSortPiece), else the last ones of block size `size`. A piece a block.
CREMA_DEVICE void sort_pieces(u64* keys, i64 n, i64 size, bool whole) {
  CREMA_SHARED(u64, part, kSortPiece);
  for (i64 from = blockIdx.x * kSortPiece; from < n; from += gridDim.x * kSortPiece) {
    __syncthreads();
    for (i64 i = threadIdx.x; i < kSortPiece; i += blockDim.x) part[i] = from + i < n ? keys[from + i] : kLastKey;
    for (i64 block = whole ? 2 : size; block <= (whole ? kSortPiece : size); block *= 2) {
      for (i64 step = least(block, kSortPiece) / 2; step > 0; step /= 2) {
        __syncthreads();
        for (i64 t = threadIdx.x; t < kSortPiece / 2; t += blockDim.x) {
          const i64 low = t / step * 2 * step + t % step;
          order_pair(part, low, low + step, ((from + low) & block) == 0);
        }
      }
    }
    __syncthreads();
    for (i64 i = threadIdx.x; i < kSortPiece && from + i < n; i += blockDim.x) keys[from + i] = part[i];
  }
}
// One step of block size `size` whose partners are `step` apart.
CREMA_DEVICE void sort_step(u64* keys, i64 n, i64 size, i64 step) {
  for (i64 t = global_thread(); t < n / 2; t += global_threads()) {
    const i64 low = t / step * 2 * step + t % step;
    order_pair(keys, low, low + step, (low & size) == 0);
  }
}

// dy [outer, count, row], sorted keys -> dx [outer, bound, row], which is zero before. A warp takes 32 columns of a key that is the
// first of its index, and adds the rows of all keys of that index in their order.
template <typename T>
CREMA_DEVICE void add_rows(const u64* keys, const T* dy, float* dx, i64 outer, i64 bound, i64 count, i64 row) {
  const i64 slices = (row + kWarp - 1) / kWarp, warps = static_cast<i64>(gridDim.x) * warps_of_block();
  for (i64 w = static_cast<i64>(blockIdx.x) * warps_of_block() + warp_of_block(); w < outer * count * slices; w += warps) {
    const i64 k = w / slices % count, o = w / slices / count, j = w % slices * kWarp + lane_of_warp();
    const u64 index = keys[k] >> 32;
    if (keys[k] == kLastKey || (k > 0 && keys[k - 1] >> 32 == index) || j >= row) continue;
    float sum = 0.0f;
    for (i64 i = k; i < count && keys[i] >> 32 == index; ++i) {
      sum += to_float(dy[(o * count + static_cast<i64>(keys[i] & 0xffffffffu)) * row + j]);
    }
    dx[(o * bound + static_cast<i64>(index)) * row + j] = sum;
  }
}
