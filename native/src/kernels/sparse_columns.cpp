// sparse_columns.cpp: kColumns of sparse.h, and what kBands shares with it. Examples stand beside each other in a panel;
// each non-zero weight is one multiply-add of a row of the panel into its column's sum, which stays in registers. A sum's
// order depends on the number of examples alone, not on threads.
#include "../gemm_pack.h"
#include "../gemm_paths.h"
#include "../sparse_panel.h"

namespace crema {
namespace CREMA_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kMostVectors = 2;  // as fast as 4, at half the memory of a panel
#else
constexpr int kMostVectors = 4;
#endif
constexpr int64_t kMostLanes = kMostVectors * W;
constexpr int64_t kGrainEntries = 25000;  // weights for 8 examples worth waking a thread for: about 5 µs

template <typename Index, int Vectors>
void sum_columns(const SparseParts& s, int64_t from, int64_t to, const float* panel, float* sums) {
  constexpr int kChains = Vectors >= 4 ? 2 : 4 / Vectors;  // sums of a column, so that additions wait less
  const int32_t* start = s.start + from;
  const float* values = s.values + *start;
  const Index* rows = static_cast<const Index*>(s.rows) + *start;
  for (int64_t j = from; j < to; ++j, ++start) {
    vec sum[kChains][Vectors] = {};
    for (int32_t left = start[1] - start[0]; left > 0; left -= kBatch, values += kBatch, rows += kBatch) {
      uint64_t index[kBatch];
      indices_of(rows, index);
#pragma GCC unroll 8
      for (int i = 0; i < kBatch; ++i) {
        const vec value = broadcast(values[i]);
        const float* const x = row_of(panel, index[i], Vectors * W);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sum[i % kChains][v] = value * load(x + v * W) + sum[i % kChains][v];
      }
    }
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
#pragma GCC unroll 2
      for (int c = kChains / 2; c > 0; c /= 2) {
#pragma GCC unroll 2
        for (int i = 0; i < c; ++i) sum[i][v] += sum[i + c][v];
      }
      store(sums + s.places[j] * Vectors * W + v * W, sum[0][v]);
    }
  }
}

#if defined(__AVX512F__)
// Eight examples: two weights of a column share a register, the one in even lanes, the other in odd ones, as one load
// brings them.
constexpr int64_t kFewLanes = 8;

typedef int64_t Pairs __attribute__((vector_size(4 * W)));

CREMA_INLINE vec eight(const float* p) { return (vec)_mm512_castps256_ps512(_mm256_loadu_ps(p)); }

template <typename Index>
void sum_few(const SparseParts& s, int64_t from, int64_t to, const float* panel, float* sums) {
  constexpr int kPairs = kBatch / 2;
  veci in_turn, apart;
  for (int l = 0; l < W; ++l) {
    in_turn[l] = l / 2 + l % 2 * W;
    apart[l] = l % 8 * 2 + l / 8;
  }
  CREMA_STAYS(in_turn);  // GCC 12 would load it from memory each time
  const int32_t* start = s.start + from;
  const float* values = s.values + *start;
  const Index* rows = static_cast<const Index*>(s.rows) + *start;
  for (int64_t j = from; j < to; ++j, ++start) {
    vec sum[kPairs] = {};
    for (int32_t left = start[1] - start[0]; left > 0; left -= kBatch, values += kBatch, rows += kBatch) {
      uint64_t index[kBatch];
      indices_of(rows, index);
#pragma GCC unroll 4
      for (int i = 0; i < kPairs; ++i) {
        int64_t two;
        std::memcpy(&two, values + 2 * i, sizeof(two));
        vec pair = (vec)(two + Pairs{});
        CREMA_STAYS(pair);  // GCC would load all of the batch at once, and permute it
        const vec a = eight(row_of(panel, index[2 * i], kFewLanes)), b = eight(row_of(panel, index[2 * i + 1], kFewLanes));
        sum[i] = fused((vec)_mm512_permutex2var_ps((__m512)a, (__m512i)in_turn, (__m512)b), pair, sum[i]);
      }
    }
    const __m512 total = (__m512)((sum[0] + sum[1]) + (sum[2] + sum[3]));
    const __m512 halves = _mm512_permutex2var_ps(total, (__m512i)apart, total);
    _mm256_storeu_ps(sums + s.places[j] * kFewLanes,
                     _mm256_add_ps(_mm512_castps512_ps256(halves), _mm512_extractf32x8_ps(halves, 1)));
  }
}

// x [8][W] to [W][8], or back: thrice the first half of all elements in turn with the second, or those at even places
// before those at odd ones. A third of the permutations of transpose(), whose 16 rows would be half empty.
template <bool Back>
CREMA_INLINE void turn_eight(vec (&x)[kFewLanes]) {
  veci first, second;
  for (int l = 0; l < W; ++l) {
    first[l] = Back ? 2 * l : l / 2 + l % 2 * W;
    second[l] = first[l] + (Back ? 1 : W / 2);
  }
#pragma GCC unroll 3
  for (int stage = 0; stage < 3; ++stage) {
    vec y[kFewLanes];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int pair = 2 * i;
      const __m512 a = (__m512)x[Back ? pair : i], b = (__m512)x[Back ? pair + 1 : i + 4];
      y[Back ? i : pair] = (vec)_mm512_permutex2var_ps(a, (__m512i)first, b);
      y[Back ? i + 4 : pair + 1] = (vec)_mm512_permutex2var_ps(a, (__m512i)second, b);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kFewLanes; ++i) x[i] = y[i];
  }
}

void pack_few(const float* x, int64_t rows, int64_t k, float* panel) {
  for (int64_t p = 0; p < k; p += W) {
    vec v[kFewLanes];
#pragma GCC unroll 8
    for (int64_t i = 0; i < kFewLanes; ++i) v[i] = i < rows ? some(x + i * k + p, k - p) : vec{};
    turn_eight<false>(v);
    const int64_t filled = (k - p < W ? k - p : W) * kFewLanes;
#pragma GCC unroll 8
    for (int64_t i = 0; i < kFewLanes; ++i) {
      if (i * W < filled) store(panel + p * kFewLanes + i * W, v[i]);
    }
  }
}

// Columns [j, to), W at most.
CREMA_INLINE void finish_few(const SparseProduct& g, int64_t row, int64_t rows, int64_t j, int64_t to, vec bias,
                             const float* sums) {
  vec v[kFewLanes];
#pragma GCC unroll 8
  for (int64_t i = 0; i < kFewLanes; ++i) v[i] = load(sums + i * W);
  turn_eight<true>(v);
#pragma GCC unroll 8
  for (int64_t r = 0; r < kFewLanes; ++r) {
    if (r < rows) put(g.y + (row + r) * g.n + j, v[r] + bias, to - j);
  }
}

int64_t lanes_for(int64_t rows, SparseForm) { return rows <= kFewLanes ? kFewLanes : rows <= W ? W : kMostLanes; }

template <typename Index>
Columns columns_for(int64_t lanes) {
  return lanes == kFewLanes ? sum_few<Index> : lanes == W ? sum_columns<Index, 1> : sum_columns<Index, 2>;
}

#else

// One example: x is its panel.
template <typename Index>
void sum_single(const SparseParts& s, int64_t from, int64_t to, const float* x, float* sums) {
  const Index* const rows = static_cast<const Index*>(s.rows);
  for (int64_t j = from; j < to; ++j) {
    float sum[4] = {};
    for (int64_t e = s.start[j]; e < s.start[j + 1]; e += 4) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sum[i] = s.values[e + i] * *row_of(x, rows[e + i], 1) + sum[i];
    }
    sums[s.places[j]] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
}

int64_t lanes_for(int64_t rows, SparseForm form) {
  if (rows == 1 && form == kColumns) return 1;
  return rows <= W ? W : rows <= 2 * W ? 2 * W : kMostLanes;
}

template <typename Index>
Columns columns_for(int64_t lanes) {
  if (lanes == 1) return sum_single<Index>;
  return lanes == W ? sum_columns<Index, 1> : lanes == 2 * W ? sum_columns<Index, 2> : sum_columns<Index, kMostVectors>;
}

#endif

Columns columns_of(const SparseParts& s, int64_t lanes, const float* panel, int64_t k) {
  if (s.form == kBands) return bands_for(s, lanes, panel, k);
  return s.narrow ? columns_for<uint16_t>(lanes) : columns_for<uint32_t>(lanes);
}

// Rows [row, row + rows) of x beside each other, and the row of zeros. Writes up to W floats more.
void pack_panel(const SparseProduct& g, int64_t row, int64_t rows, int64_t lanes, float* panel) {
  const float* const x = g.x + row * g.k;
  if (lanes == 1) {
    std::memcpy(panel, x, static_cast<size_t>(g.k) * sizeof(float));
#if defined(__AVX512F__)
  } else if (lanes == kFewLanes) {
    pack_few(x, rows, g.k, panel);
#endif
  } else {
    for (int64_t i = 0; i < lanes; i += W) {
      const int64_t left = rows - i;
      transpose_rows(x + (left > 0 ? i : 0) * g.k, g.k, left < 0 ? 0 : left < W ? left : W, g.k, panel + i, lanes);
    }
  }
  for (int64_t i = 0; i < lanes; ++i) panel[g.k * lanes + i] = 0.0f;
}

// Writes the sums of columns [from, to) for rows [row, row + rows) as results.
void finish(const SparseProduct& g, int64_t row, int64_t rows, int64_t lanes, int64_t from, int64_t to,
            const float* sums) {
  for (int64_t j = from; j < to; j += W) {
    const vec bias = g.bias == nullptr ? vec{} : some(g.bias + j, to - j);
#if defined(__AVX512F__)
    if (lanes == kFewLanes) {
      finish_few(g, row, rows, j, to, bias, sums + (j - from) * lanes);
      continue;
    }
#endif
    for (int64_t i = 0; i < rows; i += W) {
      vec v[W];
#pragma GCC unroll 16
      for (int c = 0; c < W; ++c) v[c] = load(sums + (j - from + c) * lanes + i);
      transpose(v);
      for (int64_t r = 0; r < W && i + r < rows; ++r) put(g.y + (row + i + r) * g.n + j, v[r] + bias, to - j);
    }
  }
  for (int64_t r = row; r < row + rows; ++r) apply_activation(g.activation, g.y + r * g.n + from, to - from);
}

void finish_single(const SparseProduct& g, int64_t row, int64_t from, int64_t to, const float* sums) {
  float* const y = g.y + row * g.n;
  for (int64_t j = from; j < to; ++j) y[j] = g.bias == nullptr ? sums[j - from] : sums[j - from] + g.bias[j];
  apply_activation(g.activation, y + from, to - from);
}

int64_t panel_floats(int64_t m, int64_t k) { return round_up_to((k + 1) * lanes_for(m, kBands) + W, 16); }
int64_t sums_floats(int64_t m) { return (kChunk + W) * lanes_for(m, kBands) + W; }

// Results of rows [row, row + rows) and of blocks [begin, end) of kChunk columns.
void blocks(const SparseProduct& g, const SparseParts& s, int64_t row, int64_t rows, int64_t begin, int64_t end,
            const float* panel, float* sums) {
  const int64_t lanes = lanes_for(rows, s.form);
  const Columns columns = columns_of(s, lanes, panel, g.k);
  for (int64_t b = begin; b < end; ++b) {
    const int64_t from = b * kChunk, to = from + kChunk < g.n ? from + kChunk : g.n;
    columns(s, from, to, panel, sums);
    if (lanes == 1) {
      finish_single(g, row, from, to, sums);
    } else {
      finish(g, row, rows, lanes, from, to, sums);
    }
  }
}

}  // namespace

int64_t columns_scratch(int64_t m, int64_t k, int32_t threads) {
  return threads * (panel_floats(m, k) + round_up_to(sums_floats(m), 16)) * static_cast<int64_t>(sizeof(float));
}

// Threads share the panels, or the columns where there are fewer panels than threads.
void columns_product(const SparseProduct& g, char* scratch, int32_t threads) {
  const SparseParts s(g.packed);
  const int64_t panels = (g.m + kMostLanes - 1) / kMostLanes, all = (g.n + kChunk - 1) / kChunk;
  const int64_t panel_size = panel_floats(g.m, g.k), sums_size = round_up_to(sums_floats(g.m), 16);
  float* const memory = reinterpret_cast<float*>(scratch);
  float* const sums = memory + threads * panel_size;
  const auto rows_of = [&](int64_t p) { return g.m - p * kMostLanes < kMostLanes ? g.m - p * kMostLanes : kMostLanes; };
  const int64_t lanes = lanes_for(g.m, s.form);
  const int64_t weights = s.form == kBands ? s.start[bands_of(g.n)] * kBand : s.start[g.n];
  const int64_t work = weights * (lanes > 8 ? lanes / 8 : 1);  // of a panel
  if (panels >= threads) {
    parallel(threads, panels, work == 0 ? panels : (kGrainEntries + work - 1) / work,
             [&](int64_t begin, int64_t end, int64_t chunk) {
               float* const panel = memory + chunk * panel_size;
               for (int64_t p = begin; p < end; ++p) {
                 pack_panel(g, p * kMostLanes, rows_of(p), lanes_for(rows_of(p), s.form), panel);
                 blocks(g, s, p * kMostLanes, rows_of(p), 0, all, panel, sums + chunk * sums_size);
               }
             });
    return;
  }
  const int64_t grain = work == 0 ? all : (kGrainEntries * all + work - 1) / work;
  for (int64_t p = 0; p < panels; ++p) {
    parallel(threads, all, grain, [&](int64_t begin, int64_t end, int64_t chunk) {
      float* const panel = memory + chunk * panel_size;  // of its own: another core's cache is far
      pack_panel(g, p * kMostLanes, rows_of(p), lanes_for(rows_of(p), s.form), panel);
      blocks(g, s, p * kMostLanes, rows_of(p), begin, end, panel, sums + chunk * sums_size);
    });
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
