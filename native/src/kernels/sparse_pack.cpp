// sparse_pack.cpp: weights without their zeros, as sparse.h describes them.
#include "../gemm_paths.h"
#include "../sparse.h"

namespace crema {
namespace CREMA_ISA {
namespace {

template <typename Index>
void put_columns(const float* w, int64_t k, int64_t n, const SparseParts& parts, int64_t* cursors) {
  Index* const rows = static_cast<Index*>(parts.rows);
  for (int64_t j = 0; j < n; ++j) cursors[j] = parts.start[j];
  for (int64_t p = 0; p < k; ++p, w += n) {
    for (int64_t j = 0; j < n; ++j) {
      if (w[j] == 0.0f) continue;
      parts.values[cursors[j]] = w[j];
      rows[cursors[j]++] = static_cast<Index>(4 * p);
    }
  }
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t e = cursors[j]; e < parts.start[j + 1]; ++e) {
      parts.values[e] = 0.0f;
      rows[e] = static_cast<Index>(4 * k);
    }
  }
}

bool pack_columns(const float* w, int64_t k, int64_t n, int32_t* packed, int64_t words, int64_t* cursors) {
  if (kHeaderWords + n + 1 > words || k >= int64_t{1} << 30) return false;
  for (int64_t j = 0; j < n; ++j) cursors[j] = 0;
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) cursors[j] += w[p * n + j] != 0.0f;
  }
  int64_t entries = 0;
  int32_t* const start = packed + kHeaderWords;
  for (int64_t j = 0; j < n && entries <= words; ++j) {
    start[j] = static_cast<int32_t>(entries);
    entries += round_up_to(cursors[j], kBatch);
  }
  const bool narrow = k <= kNarrowRows;
  const int64_t values = round_up_to(kHeaderWords + n + 1, 16), rows = values + round_up_to(entries, 16);
  if (entries >= int64_t{1} << 31 || rows + (narrow ? entries / 2 : entries) > words) return false;
  start[n] = static_cast<int32_t>(entries);
  packed[0] = kColumns;
  packed[1] = narrow;
  packed[2] = static_cast<int32_t>(values);
  packed[3] = static_cast<int32_t>(rows);
  packed[4] = 0;
  packed[5] = 0;
  const SparseParts parts(packed);
  if (narrow) {
    put_columns<uint16_t>(w, k, n, parts, cursors);
  } else {
    put_columns<uint32_t>(w, k, n, parts, cursors);
  }
  return true;
}

}  // namespace

void pack_sparse(const float* w, int64_t k, int64_t n, bool single, int32_t* packed, int64_t words, int64_t* cursors) {
  if (single ? pack_windows(w, k, n, packed, words) : pack_bands(w, k, n, packed, words)) return;
  if (pack_columns(w, k, n, packed, words, cursors)) return;
  for (int i = 0; i < kHeaderWords; ++i) packed[i] = 0;
  packed[0] = kDense;
}

}  // namespace CREMA_ISA
}  // namespace crema
