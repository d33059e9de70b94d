// transpose.cpp: axes in another order. ints: rank x the input axis that becomes this output axis. Any
// element type. Axes of extent 1 go and axes that stay side by side are merged first; then either runs of
// the last axis are copied, or matrices are transposed in blocks that fit L1, floats in W x W registers
// (Eklundh 1972: log2 W rounds that swap ever larger off-diagonal squares).
#include "../move.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBlock = 64;

// Output axes, outermost first: extents, and strides in elements.
struct Axes {
  int rank = 0;
  int64_t dim[CREMA_MAX_RANK];
  int64_t in[CREMA_MAX_RANK];
  int64_t out[CREMA_MAX_RANK];
};

Axes merged(const Call& c) {
  const Tensor& x = c.in[0];
  int64_t stride[CREMA_MAX_RANK];
  int64_t n = 1;
  for (int a = x.rank - 1; a >= 0; --a) {
    stride[a] = n;
    n *= x.dim[a];
  }
  Axes axes;
  for (int a = 0; a < x.rank; ++a) {
    const int from = static_cast<int>(c.ints[a]);
    if (x.dim[from] == 1) continue;
    const int last = axes.rank - 1;
    if (last >= 0 && axes.in[last] == stride[from] * x.dim[from]) {
      axes.dim[last] *= x.dim[from];
      axes.in[last] = stride[from];
    } else {
      axes.dim[axes.rank] = x.dim[from];
      axes.in[axes.rank++] = stride[from];
    }
  }
  n = 1;
  for (int a = axes.rank - 1; a >= 0; --a) {
    axes.out[a] = n;
    n *= axes.dim[a];
  }
  return axes;
}

// The tensor without an axis: what is walked around runs or matrices.
Axes without(const Axes& axes, int axis) {
  Axes rest;
  for (int a = 0; a < axes.rank; ++a) {
    if (a == axis) continue;
    rest.dim[rest.rank] = axes.dim[a];
    rest.in[rest.rank] = axes.in[a];
    rest.out[rest.rank++] = axes.out[a];
  }
  return rest;
}

int64_t count(const Axes& axes) {
  int64_t n = 1;
  for (int a = 0; a < axes.rank; ++a) n *= axes.dim[a];
  return n;
}

void offsets(const Axes& axes, int64_t i, int64_t* in, int64_t* out) {
  *in = *out = 0;
  for (int a = axes.rank - 1; a >= 0; --a) {
    const int64_t index = i % axes.dim[a];
    i /= axes.dim[a];
    *in += index * axes.in[a];
    *out += index * axes.out[a];
  }
}

// y[j * ldy + i] = x[i * ldx + j] for i < rows, j < columns.
template <typename T>
void turn_scalar(const T* x, int64_t ldx, T* y, int64_t ldy, int64_t rows, int64_t columns) {
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t i = 0; i < rows; ++i) y[j * ldy + i] = x[i * ldx + j];
  }
}

#if !defined(__clang__)
CREMA_INLINE vec pick(vec a, vec b, veci from) { return __builtin_shuffle(a, b, from); }
#else
CREMA_INLINE vec pick(vec a, vec b, veci from) {
  vec r;
  for (int i = 0; i < W; ++i) r[i] = from[i] < W ? a[from[i]] : b[from[i] - W];
  return r;
}
#endif

// One W x W square.
CREMA_INLINE void turn_square(const float* x, int64_t ldx, float* y, int64_t ldy) {
  vec r[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) r[i] = load(x + i * ldx);
#pragma GCC unroll 8
  for (int s = 1; s < W; s *= 2) {
    veci low, high;
#pragma GCC unroll 16
    for (int j = 0; j < W; ++j) {
      low[j] = (j & s) != 0 ? W + j - s : j;
      high[j] = (j & s) != 0 ? W + j : j + s;
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      if ((i & s) != 0) continue;
      const vec a = r[i], b = r[i + s];
      r[i] = pick(a, b, low);
      r[i + s] = pick(a, b, high);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) store(y + i * ldy, r[i]);
}

CREMA_INLINE void turn(const float* x, int64_t ldx, float* y, int64_t ldy, int64_t rows, int64_t columns) {
  int64_t i = 0;
  if (W > 1) {
    for (; i + W <= rows; i += W) {
      int64_t j = 0;
      for (; j + W <= columns; j += W) turn_square(x + i * ldx + j, ldx, y + j * ldy + i, ldy);
      turn_scalar(x + i * ldx + j, ldx, y + j * ldy + i, ldy, W, columns - j);
    }
  }
  turn_scalar(x + i * ldx, ldx, y + i, ldy, rows - i, columns);
}
template <typename T>
CREMA_INLINE void turn(const T* x, int64_t ldx, T* y, int64_t ldy, int64_t rows, int64_t columns) {
  turn_scalar(x, ldx, y, ldy, rows, columns);
}

template <typename T>
void transpose(const Call& c) {
  const T* const x = c.in[0].as<T>();
  T* const y = c.out[0].as<T>();
  const Axes axes = merged(c);
  const int last = axes.rank - 1;
  if (last < 0 || axes.in[last] == 1) {
    const int64_t run = last < 0 ? 1 : axes.dim[last];
    const Axes around = without(axes, last);
    parallel(c.threads, count(around), row_grain(run * static_cast<int64_t>(sizeof(T))),
             [&](int64_t begin, int64_t end, int64_t) {
               for (int64_t i = begin; i < end; ++i) {
                 int64_t from, to;
                 offsets(around, i, &from, &to);
                 copy_run(reinterpret_cast<char*>(y + to), reinterpret_cast<const char*>(x + from),
                          run * static_cast<int64_t>(sizeof(T)));
               }
             });
    return;
  }
  int inner = 0;  // the output axis along which the input is contiguous
  while (axes.in[inner] != 1) ++inner;
  const Axes around = without(without(axes, last), inner);
  const int64_t rows = axes.dim[last], ldx = axes.in[last], columns = axes.dim[inner], ldy = axes.out[inner];
  const int64_t row_blocks = (rows + kBlock - 1) / kBlock, column_blocks = (columns + kBlock - 1) / kBlock;
  const int64_t height = rows < kBlock ? rows : kBlock, width = columns < kBlock ? columns : kBlock;
  parallel(c.threads, count(around) * row_blocks * column_blocks,
           row_grain(height * width * static_cast<int64_t>(sizeof(T))), [&](int64_t begin, int64_t end, int64_t) {
             for (int64_t b = begin; b < end; ++b) {
               const int64_t j = b % column_blocks * kBlock, i = b / column_blocks % row_blocks * kBlock;
               int64_t from, to;
               offsets(around, b / column_blocks / row_blocks, &from, &to);
               turn(x + from + i * ldx + j, ldx, y + to + j * ldy + i, ldy, rows - i < kBlock ? rows - i : kBlock,
                    columns - j < kBlock ? columns - j : kBlock);
             }
           });
}

}  // namespace

CREMA_KERNEL(transpose) {
  if (c.out[0].elements() == 0) return;
  switch (element_bytes(c.in[0].type)) {
    case 8: return transpose<int64_t>(c);
    case 4: return transpose<float>(c);
    case 2: return transpose<int16_t>(c);
    default: return transpose<int8_t>(c);
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
