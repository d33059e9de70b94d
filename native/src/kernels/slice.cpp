// slice.cpp: every step-th element from begin on, in each axis, and the gradient: the same elements put
// back among zeros. ints: rank x begin, rank x step (all >= 0, step >= 1). Any element type.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// Walks the rows of the part (all axes but the last) and calls f(row of the part, offset of its first
// element in the whole).
template <typename F>
void each_row(const Call& c, const Tensor& whole, const Tensor& part, const F& f) {
  const int rank = part.rank;
  const int64_t* begin = c.ints;
  const int64_t* step = c.ints + rank;
  int64_t stride[CREMA_MAX_RANK];
  int64_t first = 0, n = 1;
  for (int a = rank - 1; a >= 0; --a) {
    stride[a] = n * step[a];
    first += n * begin[a];
    n *= whole.dim[a];
  }
  parallel(c.threads, part.rows(), row_grain(part.last() * 4), [&](int64_t from, int64_t to, int64_t) {
    int64_t index[CREMA_MAX_RANK] = {};
    int64_t at = first, rest = from;
    for (int a = rank - 2; a >= 0; --a) {
      index[a] = rest % part.dim[a];
      rest /= part.dim[a];
      at += index[a] * stride[a];
    }
    for (int64_t r = from; r < to; ++r) {
      f(r, at);
      for (int a = rank - 2; a >= 0; --a) {
        at += stride[a];
        if (++index[a] < part.dim[a]) break;
        at -= index[a] * stride[a];
        index[a] = 0;
      }
    }
  });
}

template <typename T>
void take(const Call& c) {
  const Tensor& y = c.out[0];
  const int64_t n = y.last(), step = c.ints[2 * y.rank - 1];
  const T* const x = c.in[0].as<T>();
  each_row(c, c.in[0], y, [&](int64_t r, int64_t at) {
    T* const to = y.as<T>() + r * n;
    if (step == 1) {
      std::memcpy(to, x + at, static_cast<size_t>(n) * sizeof(T));
    } else {
      for (int64_t i = 0; i < n; ++i) to[i] = x[at + i * step];
    }
  });
}

template <typename T>
void put(const Call& c) {
  const Tensor& dy = c.in[0];
  const Tensor& dx = c.out[0];
  const int64_t n = dy.last(), step = c.ints[2 * dy.rank - 1];
  zero(dx.as<char>(), dx.elements() * static_cast<int64_t>(sizeof(T)), c.threads);
  each_row(c, dx, dy, [&](int64_t r, int64_t at) {
    const T* const from = dy.as<T>() + r * n;
    T* const to = dx.as<T>() + at;
    if (step == 1) {
      std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    } else {
      for (int64_t i = 0; i < n; ++i) to[i * step] = from[i];
    }
  });
}

}  // namespace

CREMA_KERNEL(slice) {
  if (c.out[0].elements() == 0) return;
  switch (element_bytes(c.in[0].type)) {
    case 8: return take<int64_t>(c);
    case 4: return take<int32_t>(c);
    case 2: return take<int16_t>(c);
    default: return take<int8_t>(c);
  }
}

CREMA_KERNEL(slice_grad) { put<int32_t>(c); }

}  // namespace CREMA_ISA
}  // namespace crema
