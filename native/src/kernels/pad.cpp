// pad.cpp: puts elements before and after each axis: a value, the mirrored inside (without the border
// itself) or the border repeated; and the gradient of the latter two (of the first it is a slice).
// ints: mode (0 value, 1 reflect, 2 edge), rank x before; floats: value. float32.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// Where padded position i of an axis of n reads from; -1 for the value.
CREMA_INLINE int64_t source(int64_t i, int64_t before, int64_t n, int64_t mode) {
  i -= before;
  if (i >= 0 && i < n) return i;
  if (mode == 0) return -1;
  if (mode == 2) return i < 0 ? 0 : n - 1;
  return i < 0 ? -i : 2 * (n - 1) - i;
}

// Offset of the row of the inside that row r of the padded tensor reads from; -1 for the value.
int64_t source_row(const Call& c, const Tensor& inside, const Tensor& padded, int64_t r) {
  int64_t at = 0, stride = inside.last();
  for (int a = padded.rank - 2; a >= 0; --a) {
    const int64_t from = source(r % padded.dim[a], c.ints[1 + a], inside.dim[a], c.ints[0]);
    if (from < 0) return -1;
    r /= padded.dim[a];
    at += from * stride;
    stride *= inside.dim[a];
  }
  return at;
}

void fill(float* y, int64_t n, float value) {
  for (int64_t i = 0; i < n; ++i) y[i] = value;
}

}  // namespace

CREMA_KERNEL(pad) {
  const Tensor& x = c.in[0];
  const Tensor& y = c.out[0];
  const int64_t mode = c.ints[0], before = c.ints[y.rank], n = x.last(), width = y.last();
  const float value = static_cast<float>(c.floats[0]);
  parallel(c.threads, y.rows(), row_grain(width * 4), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      float* const to = y.f32() + r * width;
      const int64_t at = source_row(c, x, y, r);
      if (at < 0) {
        fill(to, width, value);
        continue;
      }
      const float* const from = x.f32() + at;
      std::memcpy(to + before, from, static_cast<size_t>(n) * sizeof(float));
      if (mode == 0) {
        fill(to, before, value);
        fill(to + before + n, width - before - n, value);
      } else {
        for (int64_t i = 0; i < before; ++i) to[i] = from[source(i, before, n, mode)];
        for (int64_t i = before + n; i < width; ++i) to[i] = from[source(i, before, n, mode)];
      }
    }
  });
}

// Adds what flows back in the order of the padded elements. Shared among threads along the first axis
// alone, and only where that has no padding, so that every sum has one order.
CREMA_KERNEL(pad_grad) {
  const Tensor& dy = c.in[0];
  const Tensor& dx = c.out[0];
  const int64_t mode = c.ints[0], before = c.ints[dy.rank], n = dx.last(), width = dy.last();
  zero(dx.as<char>(), dx.elements() * 4, c.threads);
  if (dx.elements() == 0) return;
  const bool shared = dy.rank > 1 && dy.dim[0] == dx.dim[0];
  const int64_t groups = shared ? dy.dim[0] : 1;
  const int64_t rows = dy.rows() / groups;
  parallel(c.threads, groups, row_grain(rows * width * 4), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin * rows; r < end * rows; ++r) {
      const float* const from = dy.f32() + r * width;
      float* const to = dx.f32() + source_row(c, dx, dy, r);
      for (int64_t i = 0; i < before; ++i) to[source(i, before, n, mode)] += from[i];
      add_run(to, from + before, n);
      for (int64_t i = before + n; i < width; ++i) to[source(i, before, n, mode)] += from[i];
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
