// The matrix product against sums in double precision: every path (blocked, few rows, one column), edges of
// every tile, strides, transpositions, epilogues; and the same bits on any number of threads.
#include <algorithm>

#include "../src/float_mode.h"
#include "check.h"

using namespace crema_test;

namespace {

bool openblas = false;

struct Problem {
  int64_t m, n, k;
  bool trans_a = false, trans_b = false, bias = false, accumulate = false;
  int activation = 0;
  int64_t gap = 0;  // floats between rows of each matrix
  bool packed = false;  // B is packed before
  bool bf16 = false;    // A and B are rounded
};

double activated(double x, int activation) {
  switch (activation) {
    case 1: return std::max(x, 0.0);
    case 2: return 1 / (1 + std::exp(-x));
    case 3: return std::tanh(x);
    case 4: return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case 5: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case 6: return x / (1 + std::exp(-x));
    default: return x;
  }
}

// Products of a few rows stay float32.
double factor(const Problem& p, float x) {
  if (!p.bf16 || p.n == 1 || (p.m <= 4 && !p.packed)) return x;
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  bits = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000;
  std::memcpy(&x, &bits, sizeof(bits));
  return x;
}

struct Operands {
  Array a, b, bias, before;
  int64_t lda, ldb, ldc;

  explicit Operands(const Problem& p) {
    lda = (p.trans_a ? p.m : p.k) + p.gap;
    ldb = (p.trans_b ? p.k : p.n) + p.gap;
    ldc = p.n + p.gap;
    a = Array::random({p.trans_a ? p.k : p.m, lda}, 1);
    b = Array::random({p.trans_b ? p.n : p.k, ldb}, 2);
    // What lies between the rows must not be read into a sum.
    for (int64_t i = 0; i < a.size(); ++i) {
      if (i % lda >= lda - p.gap) a[i] = NAN;
    }
    for (int64_t i = 0; i < b.size(); ++i) {
      if (i % ldb >= ldb - p.gap) b[i] = NAN;
    }
    if (p.bias) bias = Array::random({p.n}, 3);
    if (p.accumulate) before = Array::random({p.m, ldc}, 4);
  }

  std::vector<double> reference(const Problem& p) const {
    std::vector<double> c(static_cast<size_t>(p.m * ldc), NAN);
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        double sum = p.accumulate ? before[i * ldc + j] : 0;
        if (p.bias) sum += bias[j];
        for (int64_t q = 0; q < p.k; ++q) {
          sum += factor(p, p.trans_a ? a[q * lda + i] : a[i * lda + q]) *
                 factor(p, p.trans_b ? b[j * ldb + q] : b[q * ldb + j]);
        }
        c[static_cast<size_t>(i * ldc + j)] = activated(sum, p.activation);
      }
    }
    return c;
  }

  Array run(const Problem& p, int level, int threads) {
    Array c({p.m, ldc}), packed;
    if (p.packed) {
      packed = Array({(p.n + 15) / 16 * 16 * p.k});
      call(level, "pack_weights", threads, {&packed, &b}, {}, {p.bf16});
    }
    call(level, "gemm", threads, {&a, &b, &bias, &before, &packed}, {&c},
         {p.m, p.n, p.k, lda, p.trans_a, ldb, p.trans_b, ldc, p.activation, p.bf16});
    return c;
  }
};

void check(const Problem& p) {
  Operands o(p);
  const std::vector<double> expected = o.reference(p);
  char name[160];
  for (int level : levels()) {
    std::snprintf(name, sizeof(name), "%s %dx%dx%d trans %d %d bias %d accumulate %d activation %d gap %d packed %d bfloat16 %d",
                  crema_isa_name(level), static_cast<int>(p.m), static_cast<int>(p.n), static_cast<int>(p.k), p.trans_a,
                  p.trans_b, p.bias, p.accumulate, p.activation, static_cast<int>(p.gap), p.packed, p.bf16);
    Array one = o.run(p, level, 1);
    // Relative to the largest result; sigmoid and tanh squeeze sums of up to 50, 1100 additions each, below 1.
    compare(name, one, expected, p.activation > 1 ? 2e-5 : 2e-6);
    for (int threads : {2, 3}) {
      if (openblas) break;  // makes no such promise
      Array many = o.run(p, level, threads);
      CHECK(same_bits(one, many), "%s: %d threads give other bits", name, threads);
    }
  }
}

void edges() {
  for (int64_t m : {1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 29, 33}) {
    for (int64_t n : {1, 2, 7, 8, 10, 15, 16, 17, 31, 32, 33, 65}) {
      for (int64_t k : {1, 3, 17, 64}) {
        for (int trans = 0; trans < 4; ++trans) {
          Problem p{m, n, k};
          p.trans_a = (trans & 1) != 0;
          p.trans_b = (trans & 2) != 0;
          p.gap = (m + n + k) % 3;
          p.bias = (m + k) % 2 == 0;
          p.accumulate = (n + k) % 2 == 0;
          check(p);
        }
      }
    }
  }
}

void epilogues() {
  for (int activation = 0; activation <= 6; ++activation) {
    for (int64_t m : {1, 32, 40}) {
      for (int64_t n : {1, 10, 64, 100}) {
        Problem p{m, n, 20};
        p.bias = true;
        p.activation = activation;
        check(p);
        p.k = 1100;  // the epilogue belongs to the last of several blocks of k
        p.accumulate = true;
        check(p);
      }
    }
  }
}

void large() {
  for (int trans = 0; trans < 4; ++trans) {
    for (const Problem& sizes : {Problem{130, 150, 1100}, Problem{700, 40, 300}, Problem{31, 70, 2500}, Problem{40, 2100, 70},
                                 Problem{3, 700, 900}, Problem{900, 1, 700}, Problem{256, 256, 256}}) {
      Problem p = sizes;
      p.trans_a = (trans & 1) != 0;
      p.trans_b = (trans & 2) != 0;
      p.bias = true;
      p.activation = 1;
      check(p);
    }
  }
  // B too big for the L2 cache: tiles pack the next panel. One block of A; several, and two depths; more panels than a
  // block has.
  for (bool trans_a : {false, true}) {
    for (const Problem& sizes : {Problem{40, 290, 1000}, Problem{130, 400, 1100}, Problem{31, 1100, 300}}) {
      Problem p = sizes;
      p.trans_a = trans_a;
      p.gap = trans_a ? 3 : 0;
      p.bias = p.accumulate = true;
      check(p);
    }
  }
  // More rows than a block of A and more columns than a block of B, with products split over threads.
  Problem p{420, 2500, 40};
  check(p);
}

void packed() {
  for (int64_t m : {1, 4, 5, 8, 14, 15, 33}) {
    for (int64_t n : {1, 10, 16, 31, 32, 33, 47, 48, 49, 100}) {
      for (int64_t k : {1, 17, 400, 1100}) {
        if (m * n < 10 && k > 17) continue;  // all results may be small by cancellation, their errors are not
        Problem p{m, n, k};
        p.packed = true;
        p.trans_a = (m + n + k) % 2 == 0;
        p.bias = n % 2 == 0;
        p.activation = m % 2 == 0 ? 1 : 0;
        check(p);
      }
    }
  }
  for (const Problem& sizes : {Problem{8, 2100, 900}, Problem{300, 2500, 40}, Problem{130, 150, 2100}}) {
    Problem p = sizes;
    p.packed = true;
    p.bias = true;
    check(p);
  }
}

void bf16() {
  for (int64_t m : {1, 4, 5, 14, 15, 33}) {
    for (int64_t n : {2, 16, 31, 33, 47, 100}) {
      for (int64_t k : {1, 2, 17, 32, 63, 400}) {
        for (int form = 0; form < 5; ++form) {
          if (m * n < 10 && k > 17) continue;
          Problem p{m, n, k};
          p.bf16 = true;
          p.packed = form == 4;
          p.trans_a = (form & 1) != 0;
          p.trans_b = (form & 2) != 0;
          p.bias = n % 2 == 0;
          p.activation = m % 2 == 0 ? 1 : 0;
          p.gap = p.packed ? 0 : k % 2;
          check(p);
        }
      }
    }
  }
  // Around tiles of 16 rows, 16 columns and 32 steps, two beside two.
  for (int64_t m : {16, 17, 31, 32, 49, 65}) {
    for (int64_t n : {17, 49, 64, 65, 81}) {
      for (int64_t k : {31, 33, 64, 66}) {
        Problem p{m, n, k};
        p.bf16 = true;
        p.packed = (m + k) % 2 == 0;
        p.trans_a = n % 2 == 0;
        p.trans_b = !p.packed && k % 3 == 0;
        p.accumulate = m % 3 == 0;
        p.bias = n != 64;
        p.activation = static_cast<int>((m + n) % 3);
        check(p);
      }
    }
  }
  for (const Problem& sizes : {Problem{8, 700, 2501}, Problem{300, 1100, 40}, Problem{130, 70, 4101}, Problem{300, 290, 310}}) {
    for (bool packed : {false, true}) {
      Problem p = sizes;
      p.bf16 = true;
      p.packed = packed;
      p.accumulate = true;
      check(p);
    }
  }
}

void nothing() {
  check(Problem{0, 5, 5});
  check(Problem{5, 0, 5});
  Problem p{5, 6, 0};  // an empty sum
  check(p);
  p.bias = true;
  check(p);
  for (int64_t m : {1, 7}) {
    for (int64_t n : {1, 7}) {
      Problem q{m, n, 0};
      q.bias = q.accumulate = true;
      q.trans_b = true;
      check(q);
    }
  }
}

Problem bfloat16(int64_t m, int64_t n, int64_t k, bool packed) {
  Problem p{m, n, k};
  p.bf16 = true;
  p.packed = packed;
  return p;
}

// NaN and infinity in A and B reach their row and column, and nothing else.
void nan_stays_in_its_row() {
  for (const Problem& p : {Problem{2, 40, 30}, Problem{20, 40, 30}, bfloat16(20, 40, 30, false), bfloat16(20, 40, 30, true),
                           bfloat16(50, 40, 37, true), bfloat16(50, 40, 65, false)}) {
    Operands o(p);
    o.a[1 * p.k + 3] = NAN;
    o.b[5 * p.n + 33] = INFINITY;
    const std::vector<double> expected = o.reference(p);
    for (int level : levels()) {
      Array c = o.run(p, level, 1);
      compare("NaN and infinity", c, expected, 1e-6);
    }
  }
}

}  // namespace

int main() {
  const crema::FloatMode flush_denormals;  // as in a run of a plan; the pool's threads do too
  // With CREMA_GEMM=openblas as well, the same checks on OpenBLAS of that file.
  if (const char* const library = std::getenv("CREMA_TEST_OPENBLAS")) {
    char error[200] = {};
    const int32_t status =
        crema_blas_open(library, "", static_cast<int64_t>(reinterpret_cast<intptr_t>(error)), sizeof(error));
    CHECK(status == CREMA_OK, "%s", error);
    openblas = true;
  }
  edges();
  epilogues();
  large();
  packed();
  if (!openblas) bf16();
  nothing();
  nan_stays_in_its_row();
  return result();
}
