// gemm_vector.cpp: products of few rows, which are as fast as B can be read. A row-major B is read row by row,
// several rows at once, each adding its share to sums that stay in the cache; a transposed B by dot products.
#include "../gemm_paths.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int kSteps = 8;  // rows of B at once: as many streams as prefetchers follow

// s[r][j] (+)= sum over Steps steps of a[r][p] b[p][j], j < n; s is n_step apart.
template <int Rows, int Steps>
void add_steps(const float* a, int64_t a_row, const float* b, int64_t ldb, int64_t n, bool first, float* s,
               int64_t n_step) {
  vec av[Rows][Steps];
  for (int r = 0; r < Rows; ++r) {
    for (int p = 0; p < Steps; ++p) av[r][p] = broadcast(a[r * a_row + p]);
  }
  int64_t j = 0;
  for (; j + W <= n; j += W) {
    vec sum[Rows];
    for (int r = 0; r < Rows; ++r) sum[r] = first ? vec{} : load(s + r * n_step + j);
    for (int p = 0; p < Steps; ++p) {
      const vec bv = load(b + p * ldb + j);
      for (int r = 0; r < Rows; ++r) sum[r] = av[r][p] * bv + sum[r];
    }
    for (int r = 0; r < Rows; ++r) store(s + r * n_step + j, sum[r]);
  }
  if (j == n) return;
  vec sum[Rows];
  for (int r = 0; r < Rows; ++r) sum[r] = first ? vec{} : load_n(s + r * n_step + j, n - j);
  for (int p = 0; p < Steps; ++p) {
    const vec bv = load_n(b + p * ldb + j, n - j);
    for (int r = 0; r < Rows; ++r) sum[r] = av[r][p] * bv + sum[r];
  }
  for (int r = 0; r < Rows; ++r) store_n(s + r * n_step + j, sum[r], n - j);
}

// Vectors of B beside each other, and independent sums of every element, so that the multiply-adds of one row do
// not wait for each other.
#if defined(__AVX2__) && !defined(__AVX512F__)
constexpr int kWide = 2;
#else
constexpr int kWide = 4;
#endif
template <int Rows>
constexpr int kChains = Rows == 1 ? 4 : Rows == 4 ? 1 : 2;
// Up to this size B is read in columns as wide as a tile; a larger one comes from behind the L2 cache, where
// whole rows are faster.
constexpr int64_t kNearFloats = 128 * 1024;

template <int Rows, int Vectors, bool Whole>
CREMA_INLINE void add_step(const float* a, int64_t a_row, const float* b, int64_t tail, vec (&sum)[Rows][Vectors]) {
  vec bv[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    bv[v] = !Whole && v == Vectors - 1 ? load_n(b + v * W, tail) : load(b + v * W);
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
    const vec av = broadcast(a[r * a_row]);
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) sum[r][v] = av * bv[v] + sum[r][v];
  }
}

// Whole: the last vector is full, tail == W.
template <int Rows, int Vectors, bool Whole>
void times_near(const float* a, int64_t a_row, const float* b, int64_t ldb, int64_t k, float* s, int64_t n,
                int64_t tail) {
  constexpr int kSums = kChains<Rows>;
  vec sum[kSums][Rows][Vectors];
#pragma GCC unroll 4
  for (int q = 0; q < kSums; ++q) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[q][r][v] = vec{};
    }
  }
  int64_t p = 0;
  for (; p + kSums <= k; p += kSums) {
#pragma GCC unroll 4
    for (int q = 0; q < kSums; ++q) {
      add_step<Rows, Vectors, Whole>(a + p + q, a_row, b + (p + q) * ldb, tail, sum[q]);
    }
  }
  for (; p < k; ++p) add_step<Rows, Vectors, Whole>(a + p, a_row, b + p * ldb, tail, sum[0]);
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      vec total = sum[0][r][v];
#pragma GCC unroll 4
      for (int q = 1; q < kSums; ++q) total = total + sum[q][r][v];
      if (!Whole && v == Vectors - 1) {
        store_n(s + r * n + v * W, total, tail);
      } else {
        store(s + r * n + v * W, total);
      }
    }
  }
}

template <int Rows, bool Whole>
auto near_of(int64_t vectors) {
  if (vectors == 1) return times_near<Rows, 1, Whole>;
  if (kWide == 2 || vectors == 2) return times_near<Rows, 2, Whole>;
  return vectors == 3 ? times_near<Rows, 3, Whole> : times_near<Rows, 4, Whole>;
}

template <int Rows>
void times_near(const float* a, int64_t a_row, const float* b, int64_t ldb, int64_t n, int64_t k, float* s) {
  for (int64_t j = 0; j < n; j += kWide * W) {
    const int64_t columns = n - j < kWide * W ? n - j : kWide * W, vectors = (columns + W - 1) / W;
    const int64_t tail = columns - (vectors - 1) * W;
    const auto product = tail == W ? near_of<Rows, true>(vectors) : near_of<Rows, false>(vectors);
    product(a, a_row, b + j, ldb, k, s + j, n, tail);
  }
}

// s = a b for a [Rows, k], b [k, n].
template <int Rows>
void times_rows(const float* a, int64_t a_row, const float* b, int64_t ldb, int64_t n, int64_t k, float* s) {
  int64_t p = 0;
  for (; p + kSteps <= k; p += kSteps) add_steps<Rows, kSteps>(a + p, a_row, b + p * ldb, ldb, n, p == 0, s, n);
  for (; p < k; ++p) add_steps<Rows, 1>(a + p, a_row, b + p * ldb, ldb, n, p == 0, s, n);
  if (k == 0) {
    for (int64_t i = 0; i < Rows * n; ++i) s[i] = 0.0f;
  }
}

template <int Rows, int Columns>
CREMA_INLINE void dots(const float* a, int64_t a_row, const float* b, int64_t ldb, int64_t k, float* s, int64_t n) {
  vec sum[Rows][Columns];
  for (int r = 0; r < Rows; ++r) {
    for (int j = 0; j < Columns; ++j) sum[r][j] = vec{};
  }
  int64_t p = 0;
  for (; p + W <= k; p += W) {
    for (int r = 0; r < Rows; ++r) {
      const vec av = load(a + r * a_row + p);
      for (int j = 0; j < Columns; ++j) sum[r][j] = av * load(b + j * ldb + p) + sum[r][j];
    }
  }
  if (p < k) {
    for (int r = 0; r < Rows; ++r) {
      const vec av = load_n(a + r * a_row + p, k - p);
      for (int j = 0; j < Columns; ++j) sum[r][j] = av * load_n(b + j * ldb + p, k - p) + sum[r][j];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int j = 0; j < Columns; ++j) s[r * n + j] = hsum(sum[r][j]);
  }
}

// s = a b for a [Rows, k], b stored [n, k].
template <int Rows>
void times_columns(const float* a, int64_t a_row, const float* b, int64_t ldb, int64_t n, int64_t k, float* s) {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) dots<Rows, 4>(a, a_row, b + j * ldb, ldb, k, s + j, n);
  for (; j < n; ++j) dots<Rows, 1>(a, a_row, b + j * ldb, ldb, k, s + j, n);
}

template <int Rows>
void sums(const Gemm& g, bool near, const float* a, int64_t a_row, float* s) {
  if (g.trans_b) {
    times_columns<Rows>(a, a_row, g.b, g.ldb, g.n, g.k, s);
  } else if (near) {
    times_near<Rows>(a, a_row, g.b, g.ldb, g.n, g.k, s);
  } else {
    times_rows<Rows>(a, a_row, g.b, g.ldb, g.n, g.k, s);
  }
}

// s [m, n], then room for A when its rows are not contiguous.
void sums(const Gemm& g, bool near, float* s) {
  const float* a = g.a;
  int64_t a_row = g.lda;
  if (g.trans_a) {
    float* const rows = s + round_up_to(g.m * g.n, 16);
    a_row = round_up_to(g.k, 16);
    for (int64_t p = 0; p < g.k; ++p) {
      for (int64_t i = 0; i < g.m; ++i) rows[i * a_row + p] = g.a[p * g.lda + i];
    }
    a = rows;
  }
  switch (g.m) {
    case 1: return sums<1>(g, near, a, a_row, s);
    case 2: return sums<2>(g, near, a, a_row, s);
    case 3: return sums<3>(g, near, a, a_row, s);
    default: return sums<4>(g, near, a, a_row, s);
  }
}

}  // namespace

bool is_near(const Gemm& g) {
  return g.m <= kVectorRows ? g.k * g.n <= kNearFloats : g.k * g.m <= kNearFloats;
}

int64_t vector_scratch_floats(int64_t m, int64_t n, int64_t k) {
  const int64_t rows = m < kVectorRows ? m : kVectorRows;
  const int64_t sums = rows * n > m ? rows * n : m;
  return round_up_to(sums, 16) + rows * round_up_to(k, 16);
}

void vector_product(const Gemm& g, bool near, float* scratch) {
  sums(g, near, scratch);
  for (int64_t i = 0; i < g.m; ++i) {
    const float* const s = scratch + i * g.n;
    float* const c = g.c + i * g.ldc;
    if (g.accumulate) {
      each(s, c, c, g.n, [](vec x, vec y) { return x + y; });
    } else {
      each(s, c, g.n, [](vec x) { return x; });
    }
    if (g.bias != nullptr) each(c, g.bias, c, g.n, [](vec x, vec y) { return x + y; });
    apply_activation(g.activation, c, g.n);
  }
}

void column_product(const Gemm& g, bool near, float* scratch) {
  Gemm t;
  t.m = 1;
  t.n = g.m;
  t.k = g.k;
  t.a = g.b;
  t.lda = g.ldb;
  t.trans_a = !g.trans_b && g.ldb != 1;
  t.b = g.a;
  t.ldb = g.lda;
  t.trans_b = !g.trans_a;
  sums(t, near, scratch);
  const float bias = g.bias == nullptr ? 0.0f : g.bias[0];
  for (int64_t i = 0; i < g.m; ++i) {
    const float x = g.accumulate ? scratch[i] + g.c[i * g.ldc] : scratch[i];
    scratch[i] = x + bias;
  }
  apply_activation(g.activation, scratch, g.m);
  for (int64_t i = 0; i < g.m; ++i) g.c[i * g.ldc] = scratch[i];
}

}  // namespace CREMA_ISA
}  // namespace crema
