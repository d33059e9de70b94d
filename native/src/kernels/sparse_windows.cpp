// sparse_windows.cpp: kWindows of sparse.h, few examples on AVX2 and AVX-512. A step is one load of weights, and for
// each example one load of x or two, a permutation and a multiply-add for up to W weights. On AVX2 windows start
// anywhere, which takes a quarter fewer steps; two registers each would take a fifth fewer again, at half again the time
// (both measured on Zen 3).
#include "../gemm_paths.h"
#include "../sparse_panel.h"

namespace crema {
namespace CREMA_ISA {

#if defined(__AVX2__)
namespace {

#if defined(__AVX512F__)
constexpr int64_t kWindow = 32, kStep = 16;
#else
constexpr int64_t kWindow = 8, kStep = 1;
#endif
constexpr int64_t kQuad = 4;
constexpr int64_t kMostRows = 4;       // of x that share a step
constexpr int64_t kGrainQuads = 1500;  // for one or two rows, worth waking a thread for: about 5 µs

int64_t groups_of(int64_t n) { return (n + W - 1) / W; }
// Whole vectors up to the last window's end.
int64_t padded(int64_t k) { return round_up_to(round_up_to(k, kStep) + kWindow - kStep, W); }

// Where W columns are on their way down.
struct Cursors {
  const float* w;
  int64_t k, n, columns;
  int64_t next[W];

  void advance(int64_t lane) {
    int64_t p = next[lane] + 1;
    while (p < k && w[p * n + lane] == 0.0f) ++p;
    next[lane] = p;
  }
  Cursors(const float* from, int64_t rows, int64_t row, int64_t count) : w(from), k(rows), n(row), columns(count) {
    for (int64_t l = 0; l < columns; ++l) {
      next[l] = -1;
      advance(l);
    }
  }
  int64_t first() const {
    int64_t p = k;
    for (int64_t l = 0; l < columns; ++l) p = next[l] < p ? next[l] : p;
    return p;
  }
  // One step: the window, or -1 at the end.
  int64_t step(float* values, uint32_t* indices, int shift) {
    const int64_t window = first() < k ? first() / kStep : -1;
    for (int64_t l = 0; l < W; ++l) {
      values[l] = 0.0f;
      if (l >= columns || window < 0 || next[l] >= k || next[l] >= window * kStep + kWindow) continue;
      values[l] = w[next[l] * n + l];
      indices[l] |= static_cast<uint32_t>(next[l] - window * kStep) << shift;
      advance(l);
    }
    return window;
  }
};

// Whether `rows` rows of x, copied to where zeros follow each, are finite.
bool copy_finite(const float* x, int64_t rows, int64_t k, float* to) {
  const int64_t step = padded(k);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < step; i += W) store(to + r * step + i, i < k ? some(x + r * k + i, k - i) : vec{});
  }
  return all_finite(to, rows * step);
}

// Elements of a window by the lowest bits of each index.
CREMA_INLINE vec pick(const float* x, veci index) {
#if defined(__AVX512F__)
  return (vec)_mm512_permutex2var_ps(_mm512_loadu_ps(x), (__m512i)index, _mm512_loadu_ps(x + kStep));
#else
  return (vec)_mm256_permutevar8x32_ps((__m256)load(x), (__m256i)index);
#endif
}

// Sums of a group's columns for rows x_step apart. Careful: an absent weight must not meet what is not finite.
template <int Rows, bool Careful>
void sum_group(const SparseParts& s, int64_t group, const float* x, int64_t x_step, vec* sums) {
  constexpr int kChains = Rows == 1 ? 4 : Rows < 4 ? 2 : 1;  // so that additions wait less
  vec sum[Rows][kChains] = {};
  const float* values = s.values + s.start[group] * kQuad * W;
  const int32_t* indices = static_cast<const int32_t*>(s.rows) + s.start[group] * W;
  for (int64_t q = s.start[group]; q < s.start[group + 1]; ++q, values += kQuad * W, indices += W) {
    const uint64_t windows = s.windows[q];
    const veci packed = loadi(indices);
#pragma GCC unroll 4
    for (int i = 0; i < kQuad; ++i) {
      const vec v = load(values + i * W);
      const veci index = packed >> (8 * i);
      const float* const window = x + kStep * static_cast<int64_t>((windows >> (16 * i)) & 0xffff);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        vec at = pick(window + r * x_step, index);
        if (Careful) at = select(v != vec{}, at, vec{});
        sum[r][i % kChains] = fused(at, v, sum[r][i % kChains]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
    if constexpr (kChains == 4) {
      sums[r] = (sum[r][0] + sum[r][1]) + (sum[r][2] + sum[r][3]);
    } else {
      sums[r] = kChains == 2 ? sum[r][0] + sum[r][1] : sum[r][0];
    }
  }
}

using Sum = void (*)(const SparseParts&, int64_t, const float*, int64_t, vec*);

template <int Rows>
Sum sum_of(int64_t rows, bool finite) {
  if (rows == Rows) return finite ? sum_group<Rows, false> : sum_group<Rows, true>;
  if constexpr (Rows > 1) return sum_of<Rows - 1>(rows, finite);
  return nullptr;
}

// Results of rows [row, row + rows), copied to x, in the columns of groups [begin, end).
void some_groups(const SparseProduct& g, const SparseParts& s, Sum sum, int64_t row, int64_t rows, const float* x,
                 int64_t begin, int64_t end) {
  const int64_t from = begin * W, to = end * W < g.n ? end * W : g.n;
  for (int64_t j = from; j < to; j += W) {
    vec v[kMostRows];
    sum(s, j / W, x, padded(g.k), v);
    const vec bias = g.bias == nullptr ? vec{} : some(g.bias + j, g.n - j);
    for (int64_t r = 0; r < rows; ++r) put(g.y + (row + r) * g.n + j, v[r] + bias, g.n - j);
  }
  for (int64_t r = row; r < row + rows; ++r) apply_activation(g.activation, g.y + r * g.n + from, to - from);
}

}  // namespace

int64_t windows_scratch(int64_t m, int64_t k, int32_t threads) {
  return threads * (m < kMostRows ? m : kMostRows) * padded(k) * static_cast<int64_t>(sizeof(float));
}

// Threads share the blocks of rows, or the groups of columns where there are fewer blocks than threads.
void windows_product(const SparseProduct& g, char* scratch, int32_t threads) {
  const SparseParts s(g.packed);
  float* const memory = reinterpret_cast<float*>(scratch);
  const int64_t groups = groups_of(g.n), quads = s.start[groups], blocks = (g.m + kMostRows - 1) / kMostRows;
  const auto row_of = [&](int64_t block) { return g.m * block / blocks; };
  const auto sum_for = [&](int64_t block, float* x) {
    const int64_t row = row_of(block), rows = row_of(block + 1) - row;
    return sum_of<kMostRows>(rows, copy_finite(g.x + row * g.k, rows, g.k, x));
  };
  const auto grain_for = [&](int64_t units, int64_t rows) {
    const int64_t work = quads * (rows < 2 ? 2 : rows);  // of all units
    return work == 0 ? units : (kGrainQuads * 2 * units + work - 1) / work;
  };
  if (blocks >= threads) {
    parallel(threads, blocks, grain_for(blocks, g.m), [&](int64_t begin, int64_t end, int64_t chunk) {
      float* const x = memory + chunk * kMostRows * padded(g.k);
      for (int64_t b = begin; b < end; ++b) {
        some_groups(g, s, sum_for(b, x), row_of(b), row_of(b + 1) - row_of(b), x, 0, groups);
      }
    });
    return;
  }
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t rows = row_of(b + 1) - row_of(b);
    const Sum sum = sum_for(b, memory);
    parallel(threads, groups, grain_for(groups, rows), [&](int64_t begin, int64_t end, int64_t) {
      some_groups(g, s, sum, row_of(b), rows, memory, begin, end);
    });
  }
}

bool pack_windows(const float* w, int64_t k, int64_t n, int32_t* packed, int64_t words) {
  const int64_t groups = groups_of(n), first = round_up_to(kHeaderWords + groups + 1, 16);
  constexpr int64_t kWords = kQuad * W + W + 2;  // of a quad: weights, indices, windows
  const int64_t room = (words - first) / kWords;
  if (words < first || k > int64_t{65535} * kStep || first + room * kWords >= int64_t{1} << 31) return false;
  packed[0] = kWindows;
  packed[1] = 0;
  packed[2] = static_cast<int32_t>(first);
  packed[3] = static_cast<int32_t>(first + room * kQuad * W);
  packed[4] = static_cast<int32_t>(first + room * (kQuad * W + W));
  packed[5] = 0;
  const SparseParts s(packed);
  int64_t quads = 0;
  for (int64_t group = 0; group < groups; ++group) {
    s.start[group] = static_cast<int32_t>(quads);
    Cursors at(w + group * W, k, n, n - group * W < W ? n - group * W : W);
    for (; at.first() < k; ++quads) {
      if (quads == room) return false;
      uint32_t* const indices = static_cast<uint32_t*>(s.rows) + quads * W;
      std::memset(indices, 0, W * sizeof(uint32_t));
      uint64_t windows = 0;
      for (int i = 0; i < kQuad; ++i) {
        const int64_t window = at.step(s.values + (quads * kQuad + i) * W, indices, 8 * i);
        windows |= static_cast<uint64_t>(window < 0 ? 0 : window) << (16 * i);
      }
      s.windows[quads] = windows;
    }
  }
  s.start[groups] = static_cast<int32_t>(quads);
  return true;
}

#else
int64_t windows_scratch(int64_t, int64_t, int32_t) { return 0; }
void windows_product(const SparseProduct&, char*, int32_t) {}
bool pack_windows(const float*, int64_t, int64_t, int32_t*, int64_t) { return false; }
#endif

}  // namespace CREMA_ISA
}  // namespace crema
