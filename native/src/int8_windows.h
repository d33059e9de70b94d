// int8_windows.h: windows of an image as rows of bytes, for products in tiles.
#pragma once

#include "int8_dot.h"

#if defined(__AMX_INT8__)
namespace crema {
namespace CREMA_ISA {

// Windows of `runs` runs of `run` bytes, which begin at groups in a row.
struct Windows {
  int64_t runs, run;
  const int64_t* offset;  // of a run's groups, from the first pixel of a window on

  int64_t groups() const { return int8_steps(run); }
  int64_t k() const { return runs * groups() * kGroup; }
  int64_t row_bytes() const { return (k() + 63) / 64 * 64; }
  // Of n rows. Whole vectors are written, up to 63 bytes behind a run.
  int64_t bytes(int64_t n) const { return n * row_bytes() + 64; }
};

// n windows of x that begin at the pixels; of x no byte is read that is not in one. Rows are written in ascending order.
CREMA_INLINE void copy_windows(const Windows& w, const uint8_t* x, const int64_t* pixel, int64_t n, uint8_t* rows) {
  const int64_t whole = (w.run - 1) / 64 * 64, groups = w.groups(), row_bytes = w.row_bytes();
  const __mmask64 rest = ~uint64_t{0} >> (64 - (w.run - whole));
  const auto copy = [&](const uint8_t* from, uint8_t* to) CREMA_LAMBDA {
    const vec last = (vec)_mm512_maskz_loadu_epi8(rest, from);
    std::memcpy(to, &last, sizeof(last));
  };
  for (int64_t i = 0; i < n; ++i) {
    const uint8_t* const window = x + pixel[i];
    const int64_t* offset = w.offset;
    uint8_t *to = rows + i * row_bytes, *const end = to + w.runs * groups * kGroup;
    if (whole == 0) {
      for (; to < end; to += groups * kGroup, offset += groups) copy(window + *offset, to);
    } else {
      for (; to < end; to += groups * kGroup, offset += groups) {
        const uint8_t* const from = window + *offset;
        for (int64_t p = 0; p < whole; p += 64) std::memcpy(to + p, from + p, 64);
        copy(from + whole, to + whole);
      }
    }
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
#endif
