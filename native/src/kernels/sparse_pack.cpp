// sparse_pack.cpp: weights without their zeros, as sparse.h describes them.
#include "../gemm_paths.h"
#include "../sparse.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// cursors [n]: the columns' first entries, which become their ends.
template <typename Index>
void put_columns(const float* w, int64_t k, int64_t n, const SparseParts& parts, int64_t* cursors) {
  Index* const rows = static_cast<Index*>(parts.rows);
  for (int64_t p = 0; p < k; ++p, w += n) {
    for (int64_t j = 0; j < n; ++j) {
      if (w[j] == 0.0f) continue;
      parts.values[cursors[j]] = w[j];
      rows[cursors[j]++] = static_cast<Index>(4 * p);
    }
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t e = cursors[i / kChunk * kChunk + parts.places[i]]; e < parts.start[i + 1]; ++e) {
      parts.values[e] = 0.0f;
      rows[e] = static_cast<Index>(4 * k);
    }
  }
}

// Columns of a chunk in the order of their batches, which `weights` tells.
void put_in_order(const int64_t* weights, int64_t columns, uint8_t* places) {
  const auto batches = [&](int64_t place) { return (weights[place] + kBatch - 1) / kBatch; };
  for (int64_t i = 0; i < columns; ++i) {
    int64_t at = i;
    for (; at > 0 && batches(places[at - 1]) > batches(i); --at) places[at] = places[at - 1];
    places[at] = static_cast<uint8_t>(i);
  }
}

bool pack_columns(const float* w, int64_t k, int64_t n, int32_t* packed, int64_t words, int64_t* cursors) {
  const int64_t places = kHeaderWords + n + 1, values = round_up_to(places + (n + 3) / 4, 16);
  if (values > words || k >= int64_t{1} << 30) return false;
  for (int64_t j = 0; j < n; ++j) cursors[j] = 0;
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) cursors[j] += w[p * n + j] != 0.0f;
  }
  int64_t entries = 0;
  for (int64_t j = 0; j < n && entries <= words; ++j) entries += round_up_to(cursors[j], kBatch);
  const bool narrow = k <= kNarrowRows;
  const int64_t rows = values + round_up_to(entries, 16);
  if (entries >= int64_t{1} << 31 || rows + (narrow ? entries / 2 : entries) > words) return false;
  packed[0] = kColumns;
  packed[1] = narrow;
  packed[2] = static_cast<int32_t>(values);
  packed[3] = static_cast<int32_t>(rows);
  packed[4] = static_cast<int32_t>(places);
  packed[5] = 0;
  const SparseParts parts(packed);
  int32_t entry = 0;
  for (int64_t from = 0; from < n; from += kChunk) {
    const int64_t columns = n - from < kChunk ? n - from : kChunk;
    put_in_order(cursors + from, columns, parts.places + from);
    for (int64_t i = from; i < from + columns; ++i) {
      int64_t& column = cursors[from + parts.places[i]];
      parts.start[i] = entry;
      entry += static_cast<int32_t>(round_up_to(column, kBatch));
      column = parts.start[i];
    }
  }
  parts.start[n] = entry;
  if (narrow) {
    put_columns<uint16_t>(w, k, n, parts, cursors);
  } else {
    put_columns<uint32_t>(w, k, n, parts, cursors);
  }
  return true;
}

}  // namespace

// Bands take as long for one example as for a vector of them. 1024 x 1024 at 90 % zeros in windows, in columns: of 4
// examples 19.7 and 29.7 µs on AVX-512, 31 and 39 on AVX2; of 8 examples 40 and 29.8, 59 and 39 (Granite Rapids).
void pack_sparse(const float* w, int64_t k, int64_t n, int64_t examples, int64_t few, int32_t* packed, int64_t words,
                 int64_t* cursors) {
  if (examples > 1 && pack_bands(w, k, n, packed, words)) return;
  if (examples <= few && pack_windows(w, k, n, packed, words)) return;
  if (pack_columns(w, k, n, packed, words, cursors)) return;
  for (int i = 0; i < kHeaderWords; ++i) packed[i] = 0;
  packed[0] = kDense;
}

}  // namespace CREMA_ISA
}  // namespace crema
