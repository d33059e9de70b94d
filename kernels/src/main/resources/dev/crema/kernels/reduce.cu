// reduce.cu: sums, sums of squares, maxima and minima, and the norm of a flat buffer. float32. NaN in, NaN out.
// A launch description brings any axes into these forms, the last group of adjoining axes first; the passes after the first
// of a sum of squares are sums. The value is divided by `divisor` at the end (a mean), which is 1 elsewhere.
//
// reduce_rows_OP: [outer, n] -> [outer]: (x, y, i64 outer, i64 n, float divisor). 256 threads, a row a warp (n <= 1024) or,
//   reduce_long_rows_OP, a row a block: grid about outer / 8, or outer blocks.
// reduce_pieces_OP: [outer, n] -> [outer, pieces]: (x, y, i64 outer, i64 n, i64 piece): a piece of a row a block; `piece` is a
//   multiple of 4. For few long rows; reduce_rows_OP then joins the pieces.
// reduce_columns_OP: [outer, n, inner] -> [outer, pieces, inner]: (x, y, i64 outer, i64 n, i64 inner, i64 piece, float
//   divisor): 256 threads take 32 columns of a piece of `piece` rows: grid any, about outer * pieces * ceil(inner / 32).
//   With fewer than 32 columns several rows lie side by side. One piece: y is the result; else another pass joins the pieces.
// global_norm_pieces: (x, double* sums, i64 n): squares of 16384 elements a block, summed in double so that nothing
//   overflows. global_norm_finish: (double* sums, i64 pieces, y): one block of 1024: the square root of their sum.
// Reads x once.
#include "rows.cuh"

struct Sum {
  static constexpr int kStartBits = 0;
  CREMA_DEVICE_METHOD static float map(float x) { return x; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return a + b; }
};
struct SumSquares {
  static constexpr int kStartBits = 0;
  CREMA_DEVICE_METHOD static float map(float x) { return x * x; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return a + b; }
};
struct Max {
  static constexpr int kStartBits = static_cast<int>(0xff800000u);
  CREMA_DEVICE_METHOD static float map(float x) { return x; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return greater_of(a, b); }
};
struct Min {
  static constexpr int kStartBits = 0x7f800000;
  CREMA_DEVICE_METHOD static float map(float x) { return x; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return smaller_of(a, b); }
};

// Of this thread's fours of n elements: `threads` of them, this one being `thread`.
template <typename Op>
CREMA_DEVICE float reduce_part(const float* x, i64 n, int thread, int threads, bool whole) {
  const float start = __int_as_float(Op::kStartBits);
  const Op join;
  float a = start, b = start, c = start, d = start;  // an addition need not wait for the one before it
  for (i64 i = 4 * static_cast<i64>(thread); i < n; i += 4 * static_cast<i64>(threads)) {
    const float4 v = load4(x + i, n - i, whole, start);
    a = join(a, Op::map(v.x));
    b = join(b, Op::map(v.y));
    c = join(c, Op::map(v.z));
    d = join(d, Op::map(v.w));
  }
  return join(join(a, b), join(c, d));
}

template <typename Op>
CREMA_DEVICE void reduce_rows(const float* x, float* y, i64 outer, i64 n, float divisor) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16);
  each_warp_row(outer, [&](i64 r) {
    const float v = warp_join(reduce_part<Op>(x + r * n, n, lane_of_warp(), kWarp, whole), Op());
    if (lane_of_warp() == 0) y[r] = v / divisor;
  });
}

template <typename Op>
CREMA_DEVICE void reduce_long_rows(const float* x, float* y, i64 outer, i64 n, float divisor) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16);
  each_block_row(outer, [&](i64 r) {
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const float v = block_join(reduce_part<Op>(x + r * n, n, thread, threads, whole), Op(), __int_as_float(Op::kStartBits));
    if (threadIdx.x == 0) y[r] = v / divisor;
  });
}

template <typename Op>
CREMA_DEVICE void reduce_pieces(const float* x, float* y, i64 outer, i64 n, i64 piece) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16);
  const i64 pieces = (n + piece - 1) / piece;
  each_block_row(outer * pieces, [&](i64 p) {
    const i64 from = p % pieces * piece;
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const float part = reduce_part<Op>(x + p / pieces * n + from, least(piece, n - from), thread, threads, whole);
    const float v = block_join(part, Op(), __int_as_float(Op::kStartBits));
    if (threadIdx.x == 0) y[p] = v;
  });
}

// Threads stand side by side over columns, and over rows as far as columns are few: `width` of them, a power of two up to
// a warp, take adjoining columns.
template <typename Op>
CREMA_DEVICE void reduce_columns(const float* x, float* y, i64 outer, i64 n, i64 inner, i64 piece, float divisor) {
  CREMA_SHARED(float, partial, kThreads);
  const float start = __int_as_float(Op::kStartBits);
  const Op join;
  int width = kWarp;
  while (width / 2 >= inner) width /= 2;
  const int rows = static_cast<int>(blockDim.x) / width;
  const int column = static_cast<int>(threadIdx.x) % width, row = static_cast<int>(threadIdx.x) / width;
  const i64 pieces = (n + piece - 1) / piece, slices = (inner + width - 1) / width;
  each_block_row(outer * pieces * slices, [&](i64 b) {
    const i64 j = b % slices * width + column, op = b / slices;
    const i64 from = op % pieces * piece, end = least(n, from + piece);
    float u = start, v = start;
    if (j < inner) {
      const float* const p = x + op / pieces * n * inner + j;
      i64 r = from + row;
      for (; r + rows < end; r += 2 * rows) {
        const float first = p[r * inner], second = p[(r + rows) * inner];
        u = join(u, Op::map(first));
        v = join(v, Op::map(second));
      }
      if (r < end) u = join(u, Op::map(p[r * inner]));
    }
    __syncthreads();
    partial[threadIdx.x] = join(u, v);
    __syncthreads();
    for (int half = rows / 2; half > 0; half /= 2) {  // `rows` is a power of two
      if (row < half) partial[threadIdx.x] = join(partial[threadIdx.x], partial[threadIdx.x + half * width]);
      __syncthreads();
    }
    if (row == 0 && j < inner) y[op * inner + j] = partial[column] / divisor;
  });
}

#define CREMA_REDUCTION(op, Op)                                                                                    \
  CREMA_KERNEL(reduce_rows_##op, kThreads, const float* x, float* y, i64 outer, i64 n, float divisor) {            \
    reduce_rows<Op>(x, y, outer, n, divisor);                                                                      \
  }                                                                                                                \
  CREMA_KERNEL(reduce_long_rows_##op, kThreads, const float* x, float* y, i64 outer, i64 n, float divisor) {       \
    reduce_long_rows<Op>(x, y, outer, n, divisor);                                                                 \
  }                                                                                                                \
  CREMA_KERNEL(reduce_pieces_##op, kThreads, const float* x, float* y, i64 outer, i64 n, i64 piece) {              \
    reduce_pieces<Op>(x, y, outer, n, piece);                                                                      \
  }                                                                                                                \
  CREMA_KERNEL(reduce_columns_##op, kThreads, const float* x, float* y, i64 outer, i64 n, i64 inner, i64 piece,    \
               float divisor) {                                                                                    \
    reduce_columns<Op>(x, y, outer, n, inner, piece, divisor);                                                     \
  }
CREMA_REDUCTION(sum, Sum)
CREMA_REDUCTION(sum_squares, SumSquares)
CREMA_REDUCTION(max, Max)
CREMA_REDUCTION(min, Min)

constexpr i64 kNormPiece = 16384;
constexpr int kOneBlock = 1024;

CREMA_KERNEL(global_norm_pieces, kThreads, const float* x, double* sums, i64 n) {
  const i64 pieces = (n + kNormPiece - 1) / kNormPiece;
  const bool whole = is_aligned(x, 16);
  each_block_row(pieces, [&](i64 p) {
    const float* const part = x + p * kNormPiece;
    double even = 0, odd = 0;
    each_four(least(kNormPiece, n - p * kNormPiece), [&](i64 i, i64 left) {
      const float4 v = load4(part + i, left, whole, 0.0f);
      even += static_cast<double>(v.x) * v.x + static_cast<double>(v.y) * v.y;
      odd += static_cast<double>(v.z) * v.z + static_cast<double>(v.w) * v.w;
    });
    const double sum = block_sum(even + odd);
    if (threadIdx.x == 0) sums[p] = sum;
  });
}

CREMA_KERNEL(global_norm_finish, kOneBlock, const double* sums, i64 pieces, float* y) {
  double sum = 0;
  for (i64 p = threadIdx.x; p < pieces; p += blockDim.x) sum += sums[p];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *y = static_cast<float>(sqrt(sum));
}
