// reduce.cu: sums, sums of squares, maxima and minima of tensors stored as T, in float32, and the norm of a flat buffer. NaN in, NaN
// out. A launch description brings any axes into these forms, the last group of adjoining axes first; the passes after the first
// are over float32, and of a sum of squares they are sums. Sums are divided by `divisor` at the end (a mean).
//
// reduce_rows_OP_T: [outer, n] -> [outer]: (x, y, i64 outer, i64 n, float divisor). 256 threads, a row a warp (n <= 1024) or,
//   reduce_long_rows_OP_T, a row a block: grid about outer / 8, or outer blocks.
// reduce_pieces_OP_T: [outer, n] -> [outer, pieces]: (x, y, i64 outer, i64 n, i64 piece): a piece of a row a block; `piece` is a
//   multiple of 8. For few long rows; reduce_rows_OP_f32 then joins the pieces.
// reduce_columns_OP_T: [outer, n, inner] -> [outer, pieces, inner]: (x, y, i64 outer, i64 n, i64 inner, i64 piece, float
//   divisor): 256 threads, as columns.cuh says, in pieces of `piece` rows: grid any, about outer pieces inner / 32. One piece: y is the
//   result; else another pass joins the pieces.
// global_norm_pieces: (x, double* sums, i64 n): squares of 16384 elements a block, summed in double so that nothing
//   overflows. global_norm_finish: (double* sums, i64 pieces, y): one block of 1024: the square root of their sum.
// Reads x once.
#include "columns.cuh"
#include "rows.cuh"

struct Sum {
  static constexpr int kStartBits = 0;
  CREMA_DEVICE_METHOD static float map(float x) { return x; }
  CREMA_DEVICE_METHOD static float ended(float x, float divisor) { return x / divisor; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return a + b; }
};
struct SumSquares {
  static constexpr int kStartBits = 0;
  CREMA_DEVICE_METHOD static float map(float x) { return x * x; }
  CREMA_DEVICE_METHOD static float ended(float x, float divisor) { return x / divisor; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return a + b; }
};
struct Max {
  static constexpr int kStartBits = static_cast<int>(0xff800000u);
  CREMA_DEVICE_METHOD static float map(float x) { return x; }
  CREMA_DEVICE_METHOD static float ended(float x, float) { return x; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return greater_of(a, b); }
};
struct Min {
  static constexpr int kStartBits = 0x7f800000;
  CREMA_DEVICE_METHOD static float map(float x) { return x; }
  CREMA_DEVICE_METHOD static float ended(float x, float) { return x; }
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return smaller_of(a, b); }
};

// Of this thread's packs of n numbers: `threads` of them, this one being `thread`.
template <typename Op, typename T>
CREMA_DEVICE float reduce_part(const T* x, i64 n, int thread, int threads, bool whole) {
  constexpr int kWidth = kPack<T>;
  const float start = __int_as_float(Op::kStartBits);
  const Op join;
  float parts[4] = {start, start, start, start};  // an addition need not wait for the one before it
  for (i64 i = kWidth * static_cast<i64>(thread); i < n; i += kWidth * static_cast<i64>(threads)) {
    const auto v = load<kWidth>(x + i, n - i, whole, start);
    CREMA_UNROLL
    for (int k = 0; k < kWidth; ++k) parts[k % 4] = join(parts[k % 4], Op::map(v.v[k]));
  }
  return join(join(parts[0], parts[1]), join(parts[2], parts[3]));
}

template <typename Op, typename T>
CREMA_DEVICE void reduce_rows(const T* x, float* y, i64 outer, i64 n, float divisor) {
  const bool whole = whole_rows(n, x);
  each_warp_row(outer, [&](i64 r) {
    const float v = warp_join(reduce_part<Op>(x + r * n, n, lane_of_warp(), kWarp, whole), Op());
    if (lane_of_warp() == 0) y[r] = Op::ended(v, divisor);
  });
}

template <typename Op, typename T>
CREMA_DEVICE void reduce_long_rows(const T* x, float* y, i64 outer, i64 n, float divisor) {
  const bool whole = whole_rows(n, x);
  each_block_row(outer, [&](i64 r) {
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const float v = block_join(reduce_part<Op>(x + r * n, n, thread, threads, whole), Op(), __int_as_float(Op::kStartBits));
    if (threadIdx.x == 0) y[r] = Op::ended(v, divisor);
  });
}

template <typename Op, typename T>
CREMA_DEVICE void reduce_pieces(const T* x, float* y, i64 outer, i64 n, i64 piece) {
  const bool whole = whole_rows(n, x);
  const i64 pieces = (n + piece - 1) / piece;
  each_block_row(outer * pieces, [&](i64 p) {
    const i64 from = p % pieces * piece;
    const int thread = static_cast<int>(threadIdx.x), threads = static_cast<int>(blockDim.x);
    const float part = reduce_part<Op>(x + p / pieces * n + from, least(piece, n - from), thread, threads, whole);
    const float v = block_join(part, Op(), __int_as_float(Op::kStartBits));
    if (threadIdx.x == 0) y[p] = v;
  });
}

template <typename Op, typename T>
CREMA_DEVICE void reduce_columns(const T* x, float* y, i64 outer, i64 n, i64 inner, i64 piece, float divisor) {
  const float start = __int_as_float(Op::kStartBits);
  const bool whole = is_aligned(x, 16), whole_y = is_aligned(y, 16);
  const i64 pieces = (n + piece - 1) / piece;
  with_columns<T>(inner, [&](auto c) {
    constexpr int V = decltype(c)::kColumns;
    each_piece(c, outer, n, piece, [&](i64 p, i64 from, i64 end, i64 slice) {
      const i64 j = c.column(slice);
      const T* const at = x + p / pieces * n * inner + j;
      Numbers<V> parts[1] = {all_of<V>(start)};
      Numbers<V> second = parts[0];
      i64 r = from + c.row;
      for (; j < inner && r + c.depth < end; r += 2 * c.depth) {
        const auto u = load<V>(at + r * inner, V, whole, 0.0f), v = load<V>(at + (r + c.depth) * inner, V, whole, 0.0f);
        parts[0] = map(parts[0], u, [](float a, float b) { return Op()(a, Op::map(b)); });
        second = map(second, v, [](float a, float b) { return Op()(a, Op::map(b)); });
      }
      if (j < inner && r < end) {
        parts[0] = map(parts[0], load<V>(at + r * inner, V, whole, 0.0f), [](float a, float b) { return Op()(a, Op::map(b)); });
      }
      parts[0] = map(parts[0], second, Op());
      join_rows(c, parts, Op());
      if (c.row == 0 && j < inner) store(y + p * inner + j, map(parts[0], [=](float v) { return Op::ended(v, divisor); }), V, whole_y);
    });
  });
}

#define CREMA_REDUCTION(op, Op, type, T)                                                                                 \
  CREMA_KERNEL(reduce_rows_##op##_##type, kThreads, const T* x, float* y, i64 outer, i64 n, float divisor) {             \
    reduce_rows<Op>(x, y, outer, n, divisor);                                                                            \
  }                                                                                                                      \
  CREMA_KERNEL(reduce_long_rows_##op##_##type, kThreads, const T* x, float* y, i64 outer, i64 n, float divisor) {        \
    reduce_long_rows<Op>(x, y, outer, n, divisor);                                                                       \
  }                                                                                                                      \
  CREMA_KERNEL(reduce_pieces_##op##_##type, kThreads, const T* x, float* y, i64 outer, i64 n, i64 piece) {               \
    reduce_pieces<Op>(x, y, outer, n, piece);                                                                            \
  }                                                                                                                      \
  CREMA_KERNEL(reduce_columns_##op##_##type, kThreads, const T* x, float* y, i64 outer, i64 n, i64 inner, i64 piece,     \
               float divisor) {                                                                                          \
    reduce_columns<Op>(x, y, outer, n, inner, piece, divisor);                                                           \
  }
#define CREMA_REDUCTIONS(type, T)              \
  CREMA_REDUCTION(sum, Sum, type, T)           \
  CREMA_REDUCTION(sum_squares, SumSquares, type, T) \
  CREMA_REDUCTION(max, Max, type, T)           \
  CREMA_REDUCTION(min, Min, type, T)
CREMA_EACH_TYPE(CREMA_REDUCTIONS)

constexpr i64 kNormPiece = 16384;
constexpr int kOneBlock = 1024;

CREMA_KERNEL(global_norm_pieces, kThreads, const float* x, double* sums, i64 n) {
  const i64 pieces = (n + kNormPiece - 1) / kNormPiece;
  const bool whole = is_aligned(x, 16);
  each_block_row(pieces, [&](i64 p) {
    const float* const part = x + p * kNormPiece;
    double even = 0, odd = 0;
    each_pack<4>(least(kNormPiece, n - p * kNormPiece), [&](i64 i, i64 left) {
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
