// recurrent.h: what LSTM and GRU share. A sequence is [n, t, ...]: step s of all examples is a matrix whose
// rows are t apart, so products of one step read and write it where it lies. Threads share the examples and
// each goes through all steps of its own; the path of a product is chosen for the whole batch, so that
// every number of threads gives the same bits.
#pragma once

#include "gemm_pack.h"
#include "gemm_paths.h"

namespace crema {
namespace CREMA_ISA {

struct Recurrence {
  int64_t n = 0, t = 0, features = 0, units = 0, gates = 0;  // gates: floats of all gates of one step

  // x [n, t, features], recurrent weights [units, gates].
  Recurrence(const Tensor& x, const Tensor& recurrent)
      : n(x.dim[0]), t(x.dim[1]), features(x.dim[2]), units(recurrent.dim[0]), gates(recurrent.dim[1]) {}

  int64_t rows() const { return n * t; }
  // Examples worth a thread of their own.
  int64_t grain() const { return 1 + 300000 / (t * units * gates + 1); }
  int64_t step_scratch() const {
    const int64_t up = gemm_scratch(n, gates, units), down = gemm_scratch(n, units, gates);
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

// y [columns, rows] = x [rows, columns] transposed.
inline void transposed(const float* x, int64_t rows, int64_t columns, float* y) {
  int64_t i = 0;
  for (; i + W <= rows; i += W) transpose_rows(x + i * columns, columns, W, columns, y + i, rows);
  for (; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
  }
}

inline void copy_or_zero(float* to, const float* from, int64_t n) {
  if (from == nullptr) {
    std::memset(to, 0, static_cast<size_t>(n) * sizeof(float));
  } else {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
  }
}

// The state before every step, [n, t, units]: the first step's is `first` [n, units], zero when null.
inline void states_before(const Recurrence& r, const float* states, const float* first, float* before) {
  const size_t row = static_cast<size_t>(r.units) * sizeof(float);
  for (int64_t i = 0; i < r.n && r.t > 0; ++i) {
    float* const to = before + i * r.t * r.units;
    copy_or_zero(to, first == nullptr ? nullptr : first + i * r.units, r.units);
    std::memcpy(to + r.units, states + i * r.t * r.units, row * static_cast<size_t>(r.t - 1));
  }
}

// sums[j] = sum over the rows of x [rows, n], in the order of the rows.
inline void sum_rows(const float* x, int64_t rows, int64_t n, float* sums) {
  std::memset(sums, 0, static_cast<size_t>(n) * sizeof(float));
  for (int64_t i = 0; i < rows; ++i) each(sums, x + i * n, sums, n, [](vec a, vec b) { return a + b; });
}

}  // namespace CREMA_ISA
}  // namespace crema
