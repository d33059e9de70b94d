// recurrent.h: what LSTM and GRU share. Sequences come and go as [n, t, ...]; in between everything is by step,
// [t, n, ...], so that the matrix of a step lies in one piece: rows t apart, which is often a power of two, would meet
// in few sets of the caches. The weights are packed once for all steps, but for a few examples. Threads share the
// examples and each goes through all steps of its own; the path of a product is chosen for the whole batch, so that
// every number of threads gives the same bits.
#pragma once

#include "gemm_paths.h"

namespace crema {
namespace CREMA_ISA {

// Steps whose rows of x are multiplied one after the other: as long the L2 cache keeps one matrix of weights, where two
// in turns would drive each other out. 256 units, 32 examples on Granite Rapids, in turns with 1: forward takes 6 %
// less time, backward 4 %; with 8 a point less of either.
constexpr int64_t kTogether = 16;

struct Recurrence {
  int64_t n = 0, t = 0, features = 0, units = 0, gates = 0;  // gates: floats of all gates of one step

  // x [n, t, features], recurrent weights [units, gates].
  Recurrence(const Tensor& x, const Tensor& recurrent)
      : n(x.dim[0]), t(x.dim[1]), features(x.dim[2]), units(recurrent.dim[0]), gates(recurrent.dim[1]) {}

  int64_t rows() const { return n * t; }
  // Whether rows of x are multiplied kTogether steps at a time, while what comes of them is in the cache; few rows are
  // better multiplied for all steps at once. Not a matter of threads, which must not change a bit.
  bool by_steps() const { return n >= 16; }
  // Whether a step's product reads packed weights; those of few rows read them as they lie.
  bool packs() const { return n > kVectorRows; }
  // Examples worth a thread of their own.
  int64_t grain() const { return 1 + 300000 / (t * units * gates + 1); }
  int64_t step_scratch() const {
    const int64_t most = units > features ? units : features;
    const int64_t rows = by_steps() ? n * kTogether : n;
    const int64_t up = gemm_scratch(rows, gates, most), down = gemm_scratch(rows, most, gates);
    return up > down ? up : down;
  }
};

// Bytes in whole cache lines.
inline int64_t recurrent_bytes(int64_t floats) { return (floats * static_cast<int64_t>(sizeof(float)) + 63) / 64 * 64; }

// Hands out parts of scratch memory; with a null base it only counts.
class Parts {
 public:
  explicit Parts(char* base) : base_(base) {}
  float* floats(int64_t n) { return reinterpret_cast<float*>(bytes(recurrent_bytes(n))); }
  char* bytes(int64_t n) {
    char* const p = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (n + 63) / 64 * 64;
    return p;
  }
  int64_t used() const { return used_; }

 private:
  char* base_;
  int64_t used_ = 0;
};

// Scratch bytes of the products of a backward pass, one after the other.
inline int64_t grad_products_bytes(const Recurrence& r, int32_t threads) {
  int64_t most = threads * r.step_scratch();
  const int64_t dx = gemm_parallel_scratch(r.rows(), r.features, r.gates, threads);
  const int64_t dw = gemm_parallel_scratch(r.features, r.gates, r.rows(), threads);
  const int64_t du = gemm_parallel_scratch(r.units, r.gates, r.rows(), threads);
  if (dx > most) most = dx;
  if (dw > most) most = dw;
  return du > most ? du : most;
}

// The product of one step with weights that are packed for all: c [n, columns] = a [n, k] w, w [k, columns] or, when
// transposed, [columns, k].
inline Gemm step_product(const Recurrence& r, int64_t columns, int64_t k, const float* w, bool transposed,
                         const float* packed) {
  Gemm g;
  g.m = r.n;
  g.n = columns;
  g.k = k;
  g.lda = k;
  g.b = w;
  g.ldb = transposed ? k : columns;
  g.trans_b = transposed;
  g.packed_b = packed;
  g.ldc = columns;
  return g;
}

// The products of up to kTogether steps, from step s: g is the first one's, of all examples or some.
inline void products_from(const Recurrence& r, int64_t s, Path path, Gemm g, char* scratch) {
  int64_t steps = s + kTogether < r.t ? kTogether : r.t - s;
  if (g.m == r.n && path == Path::kBlocked) {  // the rows of all these steps are adjacent
    g.m *= steps;
    steps = 1;
  }
  for (; steps > 0; --steps, g.a += r.n * g.lda, g.c += r.n * g.ldc) gemm_on(path, g, scratch);
}

// c [m, n] = a b (+ bias) for dense row-major matrices, on one thread or several.
struct Dense {
  int64_t m, n, k;
  const float* a;
  bool trans_a;
  const float* b;
  bool trans_b;
  float* c;
  const float* bias;
};

inline void dense(const Dense& d, char* scratch, int32_t threads) {
  Gemm g;
  g.m = d.m;
  g.n = d.n;
  g.k = d.k;
  g.a = d.a;
  g.lda = d.trans_a ? d.m : d.k;
  g.trans_a = d.trans_a;
  g.b = d.b;
  g.ldb = d.trans_b ? d.k : d.n;
  g.trans_b = d.trans_b;
  g.c = d.c;
  g.ldc = d.n;
  g.bias = d.bias;
  gemm_parallel(g, scratch, threads);
}

inline void copy_or_zero(float* to, const float* from, int64_t n) {
  if (from == nullptr) {
    std::memset(to, 0, static_cast<size_t>(n) * sizeof(float));
  } else {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  }
}

// steps [t, n, width] = x [n, t, width].
inline void by_step(const Recurrence& r, const float* x, int64_t width, float* steps, int32_t threads) {
  parallel(threads, r.t, 1 + 16384 / (r.n * width + 1), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t s = begin; s < end; ++s) {
      for (int64_t i = 0; i < r.n; ++i) copy_or_zero(steps + (s * r.n + i) * width, x + (i * r.t + s) * width, width);
    }
  });
}

// x [n, t, width] = steps [t, n, width].
inline void by_example(const Recurrence& r, const float* steps, int64_t width, float* x, int32_t threads) {
  parallel(threads, r.n, 1 + 16384 / (r.t * width + 1), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      for (int64_t s = 0; s < r.t; ++s) copy_or_zero(x + (i * r.t + s) * width, steps + (s * r.n + i) * width, width);
    }
  });
}

// The state before every step, [t, n, units], of states [n, t, units]: the first step's is `first` [n, units], zero
// when null.
inline void states_before(const Recurrence& r, const float* states, const float* first, float* before) {
  for (int64_t s = 0; s < r.t; ++s) {
    for (int64_t i = 0; i < r.n; ++i) {
      const float* const from = s > 0 ? states + (i * r.t + s - 1) * r.units
                                      : first == nullptr ? nullptr : first + i * r.units;
      copy_or_zero(before + (s * r.n + i) * r.units, from, r.units);
    }
  }
}

// sums[j] = sum over the rows of x [rows, n], in the order of the rows.
inline void sum_rows(const float* x, int64_t rows, int64_t n, float* sums) {
  std::memset(sums, 0, static_cast<size_t>(n) * sizeof(float));
  for (int64_t i = 0; i < rows; ++i) each(sums, x + i * n, sums, n, [](vec a, vec b) { return a + b; });
}

}  // namespace CREMA_ISA
}  // namespace crema
