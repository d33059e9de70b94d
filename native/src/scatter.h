// scatter.h: rows taken by index, and the gradient: rows added at their indices. Every element of the
// gradient is summed in the order of the indices, so the bits do not depend on the thread count.
#pragma once

#include "move.h"

namespace crema {
namespace CREMA_ISA {

// x [outer, bound, row], indices [count] -> y [outer, count, row]; rows of `padding` (-1: none) are zero.
CREMA_INLINE void gather_rows(const Call& c, const Tensor& indices, const char* x, char* y, int64_t outer,
                              int64_t bound, int64_t row_bytes, int64_t padding) {
  const int64_t count = indices.elements();
  parallel(c.threads, outer * count, row_grain(row_bytes), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t index = index_at(indices, i % count);
      char* const to = y + i * row_bytes;
      if (index == padding) {
        std::memset(to, 0, static_cast<size_t>(row_bytes));
      } else {
        copy_run(to, x + (i / count * bound + index) * row_bytes, row_bytes);
      }
    }
  });
}

// dy [outer, count, row], indices [count] -> dx [outer, bound, row], written whole.
CREMA_INLINE void scatter_rows(const Call& c, const Tensor& indices, const float* dy, float* dx, int64_t outer,
                               int64_t bound, int64_t row, int64_t padding) {
  const int64_t count = indices.elements();
  zero(reinterpret_cast<char*>(dx), outer * bound * row * 4, c.threads);
  const int64_t grain = kMoveGrain / 4;
  // Threads share columns where rows are long, else rows: both leave the order of each sum alone.
  if (row >= 64) {
    const int64_t cost = outer * count < 1 ? 1 : outer * count;
    const int64_t blocks = (row + 15) / 16;
    parallel(c.threads, blocks, 1 + grain / 16 / cost, [&](int64_t begin, int64_t end, int64_t) {
      const int64_t from = begin * 16, n = (end * 16 < row ? end * 16 : row) - from;
      for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < count; ++i) {
          const int64_t index = index_at(indices, i);
          if (index == padding) continue;
          add_run(dx + (o * bound + index) * row + from, dy + (o * count + i) * row + from, n);
        }
      }
    });
    return;
  }
  const int64_t rows_grain = count * row * outer < grain ? outer * bound : 1;
  parallel(c.threads, outer * bound, rows_grain, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t o = begin / bound; o * bound < end; ++o) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t index = index_at(indices, i), target = o * bound + index;
        if (index == padding || target < begin || target >= end) continue;
        add_run(dx + target * row, dy + (o * count + i) * row, row);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
