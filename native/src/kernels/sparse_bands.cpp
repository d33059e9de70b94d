// sparse_bands.cpp: kBands of sparse.h. A row of a panel, once loaded, is multiplied by the weights of four columns, whose
// indices are one: on Zen 3 with AVX2, blocks of 4 x 4 at 90 % zeros take half the time of kColumns.
#include "../gemm_paths.h"
#include "../sparse_panel.h"

namespace crema {
namespace CREMA_ISA {

#if !defined(__AVX512F__)
namespace {

// Each weight in every lane of a vector.
CREMA_INLINE void spread(const float* values, vec (&weights)[kBand]) {
#if defined(__AVX2__)
  const __m256 all = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(values));
  weights[0] = (vec)_mm256_permute_ps(all, 0x00);
  weights[1] = (vec)_mm256_permute_ps(all, 0x55);
  weights[2] = (vec)_mm256_permute_ps(all, 0xaa);
  weights[3] = (vec)_mm256_permute_ps(all, 0xff);
#else
#pragma GCC unroll 4
  for (int c = 0; c < kBand; ++c) weights[c] = broadcast(values[c]);
#endif
}

// Vectors [0, Vectors) of each row of Stride vectors. Careful: an absent weight must not meet what is not finite.
template <typename Index, int Vectors, int Stride, bool Careful>
void sum_bands(const SparseParts& s, int64_t from, int64_t to, const float* panel, float* sums) {
  constexpr int kLanes = Stride * W;
  const int32_t* start = s.start + from / kBand;
  const float* values = s.values + *start * int64_t{kBand};
  const Index* rows = static_cast<const Index*>(s.rows) + *start;
  for (int64_t j = from; j < to; j += kBand, ++start, sums += kBand * kLanes) {
    vec sum[kBand][Vectors] = {};
    for (int32_t left = start[1] - start[0]; left > 0; left -= kBatch, values += kBatch * kBand, rows += kBatch) {
      uint64_t index[kBatch];
      indices_of(rows, index);
#pragma GCC unroll 8
      for (int i = 0; i < kBatch; ++i) {
        const float* const x = row_of(panel, index[i], kLanes);
        vec weights[kBand];
        spread(values + i * kBand, weights);
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v) {
          const vec at = load(x + v * W);
#pragma GCC unroll 4
          for (int c = 0; c < kBand; ++c) {
            const vec meets = Careful ? select(weights[c] != vec{}, at, vec{}) : at;
            sum[c][v] = weights[c] * meets + sum[c][v];
          }
        }
      }
    }
#pragma GCC unroll 4
    for (int c = 0; c < kBand; ++c) {
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) store(sums + c * kLanes + v * W, sum[c][v]);
    }
  }
}

// Two vectors at a time: the sums of four columns take eight registers.
template <typename Index, bool Careful>
void sum_wide(const SparseParts& s, int64_t from, int64_t to, const float* panel, float* sums) {
  sum_bands<Index, 2, 4, Careful>(s, from, to, panel, sums);
  sum_bands<Index, 2, 4, Careful>(s, from, to, panel + 2 * W, sums + 2 * W);
}

template <typename Index, bool Careful>
Columns of_lanes(int64_t lanes) {
  return lanes == W       ? sum_bands<Index, 1, 1, Careful>
         : lanes == 2 * W ? sum_bands<Index, 2, 2, Careful>
                          : sum_wide<Index, Careful>;
}

// The band's weights in row p; how many are not zero.
int weights_of(const float* w, int64_t n, int64_t p, int64_t j, float (&weights)[kBand]) {
  int count = 0;
  for (int64_t c = 0; c < kBand; ++c) {
    weights[c] = j + c < n ? w[p * n + j + c] : 0.0f;
    count += weights[c] != 0.0f;
  }
  return count;
}

template <typename Index>
void put_bands(const float* w, int64_t k, int64_t n, const SparseParts& parts) {
  for (int64_t j = 0; j < n; j += kBand) {
    float* values = parts.values + parts.start[j / kBand] * int64_t{kBand};
    Index* rows = static_cast<Index*>(parts.rows) + parts.start[j / kBand];
    Index* const end = static_cast<Index*>(parts.rows) + parts.start[j / kBand + 1];
    for (int64_t p = 0; p < k; ++p) {
      float weights[kBand];
      if (weights_of(w, n, p, j, weights) == 0) continue;
      std::memcpy(values, weights, sizeof(weights));
      values += kBand;
      *rows++ = static_cast<Index>(4 * p);
    }
    for (; rows < end; ++rows, values += kBand) {
      std::memset(values, 0, kBand * sizeof(float));
      *rows = static_cast<Index>(4 * k);
    }
  }
}

}  // namespace

Columns bands_for(const SparseParts& s, int64_t lanes, const float* panel, int64_t k) {
  const bool careful = s.gaps && !all_finite(panel, k * lanes);
  if (s.narrow) return careful ? of_lanes<uint16_t, true>(lanes) : of_lanes<uint16_t, false>(lanes);
  return careful ? of_lanes<uint32_t, true>(lanes) : of_lanes<uint32_t, false>(lanes);
}

bool pack_bands(const float* w, int64_t k, int64_t n, int32_t* packed, int64_t words) {
  const int64_t bands = bands_of(n);
  if (kHeaderWords + bands + 1 > words || k >= int64_t{1} << 30) return false;
  int32_t* const start = packed + kHeaderWords;
  int64_t rows = 0, taken = 0, weights = 0;
  for (int64_t band = 0; band < bands; ++band) {
    start[band] = static_cast<int32_t>(rows);
    const int64_t before = taken;
    for (int64_t p = 0; p < k; ++p) {
      float unused[kBand];
      const int count = weights_of(w, n, p, band * kBand, unused);
      taken += count != 0;
      weights += count;
    }
    rows += round_up_to(taken - before, kBatch);
    if (rows * kBand > words) return false;
  }
  if (rows >= int64_t{1} << 29 || 4 * weights < 3 * kBand * taken) return false;
  start[bands] = static_cast<int32_t>(rows);
  const bool narrow = k <= kNarrowRows;
  const int64_t values = round_up_to(kHeaderWords + bands + 1, 16), indices = values + round_up_to(rows * kBand, 16);
  if (indices + (narrow ? rows / 2 : rows) > words) return false;
  packed[0] = kBands;
  packed[1] = narrow;
  packed[2] = static_cast<int32_t>(values);
  packed[3] = static_cast<int32_t>(indices);
  packed[4] = 0;
  packed[5] = weights < kBand * taken;
  const SparseParts parts(packed);
  if (narrow) {
    put_bands<uint16_t>(w, k, n, parts);
  } else {
    put_bands<uint32_t>(w, k, n, parts);
  }
  return true;
}

#else
Columns bands_for(const SparseParts&, int64_t, const float*, int64_t) { return nullptr; }
bool pack_bands(const float*, int64_t, int64_t, int32_t*, int64_t) { return false; }
#endif

}  // namespace CREMA_ISA
}  // namespace crema
