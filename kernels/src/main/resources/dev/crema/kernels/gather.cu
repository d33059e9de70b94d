// gather.cu: slices of an axis by index, and the gradient. Indices are int32, or int64 with wide = 1. An index out of range is
// reported; its slice is zero, and it gets no gradient.
//   gather_SIZE: (indices, int wide, x, y, i64 outer, i64 bound, i64 count, i64 row, i64 padding, u64* errors, int slot):
//     x [outer, bound, row] -> y [outer, count, row] of elements of SIZE bytes. 256 threads; grid: any, about an element a thread.
// The gradient, of dy stored as T, same bits every time; dx [outer, bound, row], float32, is zero before:
//   scatter_keys: (indices, int wide, u64* keys, i64 count, i64 padded, i64 bound, i64 padding, u64* errors, int slot): `padded` is
//     the power of two from `count` on, 2048 at least
//   scatter_sort_pieces: (keys, i64 padded, i64 size, int whole): pieces of 2048 keys, one a block of 256
//   scatter_sort_step: (keys, i64 padded, i64 size, i64 step): about padded / 512 blocks. To sort: pieces (whole); then for size =
//     4096, 8192 ... padded: steps size / 2, size / 4 ... 2048, then pieces (size).
//   scatter_add_T: (keys, dy, dx, i64 outer, i64 bound, i64 count, i64 row): a warp takes 32 columns of an index
// Limit: of the gradient, dy read once and dx written twice, and 8 bytes an index some log^2 times.
#include "scatter.cuh"

CREMA_BY_SIZE(gather, gather_rows,
              (const void* indices, int wide, const void* x, void* y, i64 outer, i64 bound, i64 count, i64 row, i64 padding,
               u64* errors, int slot),
              (indices, wide, x, y, outer, bound, count, row, padding, errors, slot))

CREMA_KERNEL(scatter_keys, kThreads, const void* indices, int wide, u64* keys, i64 count, i64 padded, i64 bound, i64 padding,
             u64* errors, int slot) {
  make_keys(indices, wide, keys, count, padded, bound, padding, errors, slot);
}
CREMA_KERNEL(scatter_sort_pieces, kThreads, u64* keys, i64 padded, i64 size, int whole) {
  sort_pieces(keys, padded, size, whole != 0);
}
CREMA_KERNEL(scatter_sort_step, kThreads, u64* keys, i64 padded, i64 size, i64 step) { sort_step(keys, padded, size, step); }
#define CREMA_SCATTER_ADD(type, T)                                                                                            \
  CREMA_KERNEL(scatter_add_##type, kThreads, const u64* keys, const T* dy, float* dx, i64 outer, i64 bound, i64 count, i64 row) { \
    add_rows(keys, dy, dx, outer, bound, count, row);                                                                         \
  }
CREMA_EACH_TYPE(CREMA_SCATTER_ADD)
