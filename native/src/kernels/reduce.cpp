// reduce.cpp: sums, means, extremes and sums of squares over any axes, and the norm of a flat buffer.
// in: x. out: the remaining axes (whether they keep extent 1 does not matter). ints: the axes, ascending.
// Sums are blocked: 8 rows or 4 vectors at a time, blocks of fixed size, so that errors grow slowly and the
// bits do not depend on the number of threads. NaN in, NaN out.
#include "../vec.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Sum {
  static constexpr float kStart = 0;
  CREMA_INLINE vec map(vec x) { return x; }
  CREMA_INLINE vec join(vec a, vec b) { return a + b; }
  CREMA_INLINE double join(double a, double b) { return a + b; }
  CREMA_INLINE double fold(vec a) { return hsum(a); }
  using After = Sum;  // what joins partial results
};
struct SumOfSquares : Sum {
  CREMA_INLINE vec map(vec x) { return x * x; }
};
struct Max {
  static constexpr float kStart = -INFINITY;
  CREMA_INLINE vec map(vec x) { return x; }
  CREMA_INLINE vec join(vec a, vec b) { return vmax(a, b); }
  CREMA_INLINE double join(double a, double b) { return b > a || b != b ? b : a; }
  CREMA_INLINE double fold(vec a) { return hmax(a); }
  using After = Max;
};
struct Min {
  static constexpr float kStart = INFINITY;
  CREMA_INLINE vec map(vec x) { return x; }
  CREMA_INLINE vec join(vec a, vec b) { return vmin(a, b); }
  CREMA_INLINE double join(double a, double b) { return b < a || b != b ? b : a; }
  CREMA_INLINE double fold(vec a) { return hmin(a); }
  using After = Min;
};

constexpr int64_t kRun = 64 * W;        // floats summed in float before the sum continues in double
constexpr int64_t kRowBlock = 16384;    // floats of a long row that are one piece of work
constexpr int64_t kColumnBlock = 2048;  // columns of a piece of work: 8 KB of partial results
constexpr int64_t kNarrow = 64;         // fewer columns: several rows make one wide row
constexpr int64_t kGrain = 16384;

template <typename Op>
double reduce_row(const float* x, int64_t n) {
  double total = Op::kStart;
  for (int64_t at = 0; at < n; at += kRun) {
    const int64_t end = n - at < kRun ? n : at + kRun;
    const vec start = broadcast(Op::kStart);
    vec a = start, b = start, c = start, d = start;
    int64_t i = at;
    for (; i + 4 * W <= end; i += 4 * W) {
      a = Op::join(a, Op::map(load(x + i)));
      b = Op::join(b, Op::map(load(x + i + W)));
      c = Op::join(c, Op::map(load(x + i + 2 * W)));
      d = Op::join(d, Op::map(load(x + i + 3 * W)));
    }
    for (; i + W <= end; i += W) a = Op::join(a, Op::map(load(x + i)));
    if (i < end) b = Op::join(b, Op::map(load_n(x + i, end - i, start)));
    total = Op::join(total, Op::fold(Op::join(Op::join(a, b), Op::join(c, d))));
  }
  return total;
}

// y[j] = join over `rows` rows of x[row * stride + j], j < columns. At least one row.
template <typename Op>
void reduce_rows(const float* x, int64_t rows, int64_t stride, int64_t columns, float* y) {
  int64_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    const float* p = x + r * stride;
    const bool first = r == 0;
    const auto eight = [&](const float* q, auto read) __attribute__((always_inline)) {
      const vec ab = Op::join(Op::map(read(q)), Op::map(read(q + stride)));
      const vec cd = Op::join(Op::map(read(q + 2 * stride)), Op::map(read(q + 3 * stride)));
      const vec ef = Op::join(Op::map(read(q + 4 * stride)), Op::map(read(q + 5 * stride)));
      const vec gh = Op::join(Op::map(read(q + 6 * stride)), Op::map(read(q + 7 * stride)));
      return Op::join(Op::join(ab, cd), Op::join(ef, gh));
    };
    int64_t j = 0;
    for (; j + W <= columns; j += W) {
      const vec v = eight(p + j, [](const float* q) __attribute__((always_inline)) { return load(q); });
      store(y + j, first ? v : Op::join(load(y + j), v));
    }
    if (j < columns) {
      const int64_t n = columns - j;
      const vec v = eight(p + j, [n](const float* q) __attribute__((always_inline)) { return load_n(q, n); });
      store_n(y + j, first ? v : Op::join(load_n(y + j, n), v), n);
    }
  }
  for (; r < rows; ++r) {
    const float* p = x + r * stride;
    if (r == 0) {
      each(p, y, columns, [](vec a) CREMA_LAMBDA { return Op::map(a); });
    } else {
      each(y, p, y, columns, [](vec a, vec b) CREMA_LAMBDA { return Op::join(a, Op::map(b)); });
    }
  }
}

// As reduce_rows for few, adjoining columns: W rows are read as one.
template <typename Op>
void reduce_narrow(const float* x, int64_t rows, int64_t columns, float* y) {
  if (rows < 4 * W) return reduce_rows<Op>(x, rows, columns, columns, y);
  float wide[2 * W * kNarrow];
  const int64_t width = W * columns, whole = rows / W;
  reduce_rows<Op>(x, whole, width, width, wide);
  int64_t left = rows - whole * W;
  each(x + whole * width, wide + width, left * columns, [](vec a) CREMA_LAMBDA { return Op::map(a); });
  reduce_rows<typename Op::After>(wide, W + left, columns, columns, y);
}

// Rows of a piece of work: about 64 K floats, and at most 64 additions one after the other.
int64_t block_rows(int64_t inner) {
  if (inner >= 256) return 256;
  const int64_t rows = 65536 / inner, most = inner < kNarrow ? 512 * W : 512;
  return rows < most ? rows : most;
}

// Scratch memory, handed out in order. Without memory it only counts.
struct Bump {
  char* at;
  int64_t bytes;
  template <typename T>
  T* take(int64_t n) {
    const int64_t size = (n * static_cast<int64_t>(sizeof(T)) + 63) / 64 * 64;
    T* p = reinterpret_cast<T*>(at);
    if (at != nullptr) at += size;
    bytes += size;
    return p;
  }
};

// [outer, n] to [outer].
template <typename Op>
void last_axis(int32_t threads, const float* x, int64_t outer, int64_t n, float* y, Bump& memory) {
  const int64_t blocks = n >= 4 * kRowBlock ? (n + kRowBlock - 1) / kRowBlock : 1;
  double* partial = blocks > 1 ? memory.take<double>(outer * blocks) : nullptr;
  if (memory.at == nullptr && y == nullptr) return;
  if (blocks == 1) {
    parallel(threads, outer, kGrain / n + 1, [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t r = begin; r < end; ++r) y[r] = static_cast<float>(reduce_row<Op>(x + r * n, n));
    });
    return;
  }
  parallel(threads, outer * blocks, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % blocks * kRowBlock;
      partial[i] = reduce_row<Op>(x + i / blocks * n + from, n - from < kRowBlock ? n - from : kRowBlock);
    }
  });
  for (int64_t r = 0; r < outer; ++r) {
    double total = Op::kStart;
    for (int64_t b = 0; b < blocks; ++b) total = Op::join(total, partial[r * blocks + b]);
    y[r] = static_cast<float>(total);
  }
}

// [outer, n, inner] to [outer, inner].
template <typename Op>
void middle_axis(int32_t threads, const float* x, int64_t outer, int64_t n, int64_t inner, float* y, Bump& memory) {
  const int64_t rows = block_rows(inner);
  const int64_t blocks = (n + rows - 1) / rows;
  const int64_t slices = (inner + kColumnBlock - 1) / kColumnBlock;
  float* partial = blocks > 1 ? memory.take<float>(outer * blocks * inner) : y;
  if (partial != nullptr) {
    const int64_t work = (n < rows ? n : rows) * (inner < kColumnBlock ? inner : kColumnBlock);
    parallel(threads, outer * blocks * slices, kGrain / work + 1, [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t slice = i % slices * kColumnBlock, ob = i / slices;
        const int64_t o = ob / blocks, from = ob % blocks * rows;
        const int64_t count = n - from < rows ? n - from : rows;
        const int64_t columns = inner - slice < kColumnBlock ? inner - slice : kColumnBlock;
        const float* p = x + (o * n + from) * inner + slice;
        float* q = partial + ob * inner + slice;
        if (inner < kNarrow) {
          reduce_narrow<Op>(p, count, inner, q);
        } else {
          reduce_rows<Op>(p, count, inner, columns, q);
        }
      }
    });
  }
  if (blocks > 1) middle_axis<typename Op::After>(threads, partial, outer, blocks, inner, y, memory);
}

struct Axes {
  int64_t extent[CREMA_MAX_RANK];
  bool reduced[CREMA_MAX_RANK];
  int count = 0;

  void add(int64_t n, bool r) {
    if (n == 1) return;
    if (count > 0 && reduced[count - 1] == r) {
      extent[count - 1] *= n;
    } else {
      extent[count] = n;
      reduced[count++] = r;
    }
  }
};

// Reduces one group of adjoining axes after the other, the last first. With y == nullptr only counts memory.
template <typename Op>
void reduce(const Call& c, float* y, Bump& memory) {
  const Tensor& in = c.in[0];
  Axes axes;
  for (int i = 0; i < in.rank; ++i) {
    bool reduced = false;
    for (int k = 0; k < c.int_count; ++k) reduced = reduced || c.ints[k] == i;
    axes.add(in.dim[i], reduced);
  }
  int last = axes.count - 1;
  while (last >= 0 && !axes.reduced[last]) --last;
  if (last < 0) {
    if (y == nullptr) return;
    each(in.f32(), y, in.elements(), [](vec a) CREMA_LAMBDA { return Op::map(a); });
    return;
  }
  const auto pass = [&](auto op, const float* x, int at, float* to) {
    using This = decltype(op);
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < at; ++i) outer *= axes.extent[i];
    for (int i = at + 1; i < axes.count; ++i) inner *= axes.reduced[i] ? 1 : axes.extent[i];
    const int64_t n = axes.extent[at];
    if (inner == 1) {
      last_axis<This>(c.threads, x, outer, n, to, memory);
    } else {
      middle_axis<This>(c.threads, x, outer, n, inner, to, memory);
    }
  };
  const float* x = in.f32();
  bool first = true;
  while (last >= 0) {
    int before = last - 1;
    while (before >= 0 && !axes.reduced[before]) --before;
    float* to = y;
    if (before >= 0) {
      int64_t size = 1;
      for (int i = 0; i < axes.count; ++i) size *= i < last || !axes.reduced[i] ? axes.extent[i] : 1;
      to = memory.take<float>(size);
    }
    if (first) {
      pass(Op{}, x, last, to);
    } else {
      pass(typename Op::After{}, x, last, to);
    }
    first = false;
    x = to;
    last = before;
  }
}

template <typename Op>
int64_t scratch(const Call& c) {
  if (c.in[0].elements() == 0) return 0;
  Bump count{nullptr, 0};
  reduce<Op>(c, nullptr, count);
  return count.bytes;
}

template <typename Op>
void run(const Call& c) {
  const int64_t elements = c.out[0].elements();
  if (c.in[0].elements() == 0) {
    for (int64_t i = 0; i < elements; ++i) c.out[0].f32()[i] = Op::kStart;
    return;
  }
  Bump memory{c.scratch, 0};
  reduce<Op>(c, c.out[0].f32(), memory);
}

}  // namespace

CREMA_KERNEL_SCRATCH(reduce_sum, scratch<Sum>) { run<Sum>(c); }
CREMA_KERNEL_SCRATCH(reduce_sum_squares, scratch<SumOfSquares>) { run<SumOfSquares>(c); }
CREMA_KERNEL_SCRATCH(reduce_max, scratch<Max>) { run<Max>(c); }
CREMA_KERNEL_SCRATCH(reduce_min, scratch<Min>) { run<Min>(c); }

// The mean of nothing is NaN.
CREMA_KERNEL_SCRATCH(reduce_mean, scratch<Sum>) {
  run<Sum>(c);
  const int64_t elements = c.out[0].elements();
  if (elements == 0) return;
  const float n = static_cast<float>(c.in[0].elements() / elements);
  parallel(c.threads, elements, kGrain, [&](int64_t begin, int64_t end, int64_t) {
    float* y = c.out[0].f32() + begin;
    each(y, y, end - begin, [n](vec a) CREMA_LAMBDA { return a / n; });
  });
}

namespace {
int64_t norm_scratch(const Call& c) { return (c.in[0].elements() / kRowBlock + 1) * 8; }
}  // namespace

// Euclidean norm of all elements: squares are summed in double, so that nothing overflows.
CREMA_KERNEL_SCRATCH(global_norm, norm_scratch) {
  const int64_t n = c.in[0].elements();
  const int64_t blocks = (n + kRowBlock - 1) / kRowBlock;
  double* partial = reinterpret_cast<double*>(c.scratch);
  parallel(c.threads, blocks, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      const float* x = c.in[0].f32() + b * kRowBlock;
      const int64_t count = n - b * kRowBlock < kRowBlock ? n - b * kRowBlock : kRowBlock;
      vecd even{}, odd{};
      int64_t i = 0;
      for (; i + 2 * W <= count; i += 2 * W) {
        const vecd p = __builtin_convertvector(load(x + i), vecd), q = __builtin_convertvector(load(x + i + W), vecd);
        even += p * p;
        odd += q * q;
      }
      even += odd;
      double total = 0;
      for (int k = 0; k < W; ++k) total += even[k];
      for (; i < count; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      partial[b] = total;
    }
  });
  double total = 0;
  for (int64_t b = 0; b < blocks; ++b) total += partial[b];
  c.out[0].f32()[0] = static_cast<float>(__builtin_sqrt(total));
}

}  // namespace CREMA_ISA
}  // namespace crema
