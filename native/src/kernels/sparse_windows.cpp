// sparse_windows.cpp: kWindows of sparse.h, single examples on AVX2 and AVX-512. A step is one load of x or two, one of
// weights, a permutation and a multiply-add for up to W weights. On AVX2 windows start anywhere, which takes a quarter
// fewer steps; two registers each would take a fifth fewer again, at half again the time (both measured on Zen 3).
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
constexpr int64_t kGrainQuads = 1500;  // worth waking a thread for: about 5 µs

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

// Whether x, copied to where zeros follow it, is finite.
bool copy_finite(const float* x, int64_t k, float* to) {
  for (int64_t i = 0; i < padded(k); i += W) store(to + i, i < k ? some(x + i, k - i) : vec{});
  return all_finite(to, padded(k));
}

// Elements of a window by the lowest bits of each index.
CREMA_INLINE vec pick(const float* x, veci index) {
#if defined(__AVX512F__)
  return (vec)_mm512_permutex2var_ps(_mm512_loadu_ps(x), (__m512i)index, _mm512_loadu_ps(x + kStep));
#else
  return (vec)_mm256_permutevar8x32_ps((__m256)load(x), (__m256i)index);
#endif
}

// Careful: an absent weight must not meet what is not finite.
template <bool Careful>
vec sum_of_group(const SparseParts& s, int64_t group, const float* x) {
  vec sum[kQuad] = {};
  const float* values = s.values + s.start[group] * kQuad * W;
  const int32_t* indices = static_cast<const int32_t*>(s.rows) + s.start[group] * W;
  for (int64_t q = s.start[group]; q < s.start[group + 1]; ++q, values += kQuad * W, indices += W) {
    const uint64_t windows = s.windows[q];
    const veci packed = loadi(indices);
#pragma GCC unroll 4
    for (int i = 0; i < kQuad; ++i) {
      const vec v = load(values + i * W);
      vec at = pick(x + kStep * static_cast<int64_t>((windows >> (16 * i)) & 0xffff), packed >> (8 * i));
      if (Careful) at = select(v != vec{}, at, vec{});
      sum[i] = fused(at, v, sum[i]);
    }
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

}  // namespace

int64_t windows_scratch(int64_t k) { return padded(k) * static_cast<int64_t>(sizeof(float)); }

void windows_product(const SparseProduct& g, char* scratch, int32_t threads) {
  const SparseParts s(g.packed);
  float* const x = reinterpret_cast<float*>(scratch);
  const int64_t groups = groups_of(g.n), quads = s.start[groups];
  const int64_t grain = quads == 0 ? groups : (kGrainQuads * groups + quads - 1) / quads;
  for (int64_t r = 0; r < g.m; ++r) {
    const auto sum = copy_finite(g.x + r * g.k, g.k, x) ? sum_of_group<false> : sum_of_group<true>;
    float* const y = g.y + r * g.n;
    parallel(threads, groups, grain, [&](int64_t begin, int64_t end, int64_t) {
      const int64_t from = begin * W, to = end * W < g.n ? end * W : g.n;
      for (int64_t j = from; j < to; j += W) {
        vec v = sum(s, j / W, x);
        if (g.bias != nullptr) v += some(g.bias + j, g.n - j);
        put(y + j, v, g.n - j);
      }
      apply_activation(g.activation, y + from, to - from);
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
int64_t windows_scratch(int64_t) { return 0; }
void windows_product(const SparseProduct&, char*, int32_t) {}
bool pack_windows(const float*, int64_t, int64_t, int32_t*, int64_t) { return false; }
#endif

}  // namespace CREMA_ISA
}  // namespace crema
