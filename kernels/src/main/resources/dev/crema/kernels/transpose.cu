// transpose.cu: axes in another order.
//   transpose_SIZE: matrices x [rows, columns] to y [columns, rows], elements of SIZE bytes, in tiles of 32 x 32 through shared
//     memory, so that both sides are read and written in whole lines: (x, y, Matrices m). 256 threads; grid: any, about the
//     number of tiles. Matrix b lies `around` b's offset in x and around_y's in y.
//   permute_SIZE: (x, y, i64 n, Axes axes): y contiguous, x strided: where the last axis stays the last.
#include "move.cuh"

struct Matrices {
  i64 rows, columns;  // of x
  i64 ldx, ldy;       // elements from a row of x to the next, from a row of y to the next
  i64 count;
  Axes around, around_y;  // the axes of the matrices' index; strides in x and in y
};

constexpr int kTile = 32;

template <typename T>
CREMA_DEVICE void transpose_tiles(const void* x, void* y, const Matrices& m) {
  CREMA_SHARED_ROWS(T, tile, kTile, kTile + 1);
  const int lane = lane_of_warp(), warp = warp_of_block(), warps = warps_of_block();
  const i64 down = (m.rows + kTile - 1) / kTile, across = (m.columns + kTile - 1) / kTile;
  for (i64 t = blockIdx.x; t < m.count * down * across; t += gridDim.x) {
    const i64 j = t % across * kTile, i = t / across % down * kTile, b = t / across / down;
    const T* const from = static_cast<const T*>(x) + offset_of(m.around, b);
    T* const to = static_cast<T*>(y) + offset_of(m.around_y, b);
    __syncthreads();  // the tile before has been written
    for (int r = warp; r < kTile; r += warps) {
      if (i + r < m.rows && j + lane < m.columns) tile[r][lane] = from[(i + r) * m.ldx + j + lane];
    }
    __syncthreads();
    for (int c = warp; c < kTile; c += warps) {
      if (j + c < m.columns && i + lane < m.rows) to[(j + c) * m.ldy + i + lane] = tile[lane][c];
    }
  }
}

CREMA_BY_SIZE(transpose, transpose_tiles, (const void* x, void* y, const Matrices m), (x, y, m))
CREMA_BY_SIZE(permute, copy_strided, (const void* x, void* y, i64 n, const Axes axes), (x, y, n, axes))
