// gemm_pack.h: copies of parts of A and B in the order in which the tile reads them.
#pragma once

#include "gemm_tile.h"

namespace crema {
namespace CREMA_ISA {

// Interleaves the lower and the upper halves of two vectors: a0 b0 a1 b1 ...
#if defined(__clang__)
template <int... I>
struct Lanes {};
template <int N, int... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <int... I>
struct Count<0, I...> {
  using Type = Lanes<I...>;
};
template <int... I>
CREMA_INLINE void interleave(vec a, vec b, vec* low, vec* high, Lanes<I...>) {
  *low = __builtin_shufflevector(a, b, (I % 2 * W + I / 2)...);
  *high = __builtin_shufflevector(a, b, (I % 2 * W + W / 2 + I / 2)...);
}
CREMA_INLINE void interleave(vec a, vec b, vec* low, vec* high) {
  interleave(a, b, low, high, typename Count<W>::Type{});
}
#else
CREMA_INLINE void interleave(vec a, vec b, vec* low, vec* high) {
  veci lower{}, upper{};
  for (int i = 0; i < W; ++i) {
    lower[i] = i % 2 * W + i / 2;
    upper[i] = lower[i] + W / 2;
  }
  *low = __builtin_shuffle(a, b, lower);
  *high = __builtin_shuffle(a, b, upper);
}
#endif

// W vectors as the rows of a square become its columns.
CREMA_INLINE void transpose(vec* x) {
  if constexpr (W > 1) {
#pragma GCC unroll 4
    for (int round = 1; round < W; round *= 2) {
      vec y[W];
#pragma GCC unroll 16
      for (int i = 0; i < W / 2; ++i) interleave(x[i], x[i + W / 2], &y[2 * i], &y[2 * i + 1]);
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) x[i] = y[i];
    }
  }
}

// y[j * y_step + i] = x[i * x_step + j] for i < rows <= W and j < columns; where rows < W what
// follows in a row of y is zero, up to W, so that rows of y must be written in ascending order.
CREMA_INLINE void transpose_rows(const float* x, int64_t x_step, int64_t rows, int64_t columns, float* y,
                                 int64_t y_step) {
  int64_t j = 0;
  for (; j + W <= columns; j += W) {
    vec v[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) v[i] = i < rows ? load(x + i * x_step + j) : vec{};
    transpose(v);
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) store(y + (j + i) * y_step, v[i]);
  }
  if (j == columns) return;
  vec v[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) v[i] = i < rows ? load_n(x + i * x_step + j, columns - j) : vec{};
  transpose(v);
  for (int i = 0; j < columns; ++i, ++j) store(y + j * y_step, v[i]);
}

// Steps [0, k) of `columns` <= kTileColumns columns of op(B) to rows of `width` floats, width being columns in whole
// vectors; zero behind the last column.
CREMA_INLINE void pack_b(const float* b, int64_t ldb, bool trans, int64_t k, int64_t columns, int64_t width,
                         float* packed) {
  if (trans) {
    for (int64_t j = 0; j < width; j += W) {
      transpose_rows(b + j * ldb, ldb, columns - j < W ? columns - j : W, k, packed + j, width);
    }
    return;
  }
  for (int64_t p = 0; p < k; ++p, b += ldb, packed += width) {
    int64_t j = 0;
    for (; j + W <= columns; j += W) store(packed + j, load(b + j));
    if (j < columns) store(packed + j, load_n(b + j, columns - j));
  }
}

// Steps [0, k) of `rows` <= kTileRows rows of op(A), `rows` floats a step. Writes up to W floats more.
CREMA_INLINE void pack_a(const float* a, int64_t lda, bool trans, int64_t k, int64_t rows, float* packed) {
  if (trans) {
    for (int64_t p = 0; p < k; ++p, a += lda, packed += rows) {
      for (int64_t i = 0; i < rows; i += W) {
        store(packed + i, rows - i < W ? load_n(a + i, rows - i) : load(a + i));
      }
    }
    return;
  }
  if (rows <= W) return transpose_rows(a, lda, rows, k, packed, rows);
  int64_t i = 0;
  for (; i + W <= rows; i += W) transpose_rows(a + i * lda, lda, W, k, packed + i, rows);
  for (; i < rows; ++i) {
    for (int64_t p = 0; p < k; ++p) packed[p * rows + i] = a[i * lda + p];
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
