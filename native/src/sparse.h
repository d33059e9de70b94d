// sparse.h: y = activation(x w + bias) for w [k, n] that is mostly zero, packed without its zeros. Compiled per ISA.
// A weight of 0 or -0 is absent: it adds nothing, also where x is infinite or NaN and a dense product would be NaN.
//
// Packed weights are 32-bit words: a header of kHeaderWords, then
//   kColumns: for each column its non-zero weights and their rows, filled up to whole batches of kBatch. A batch's
//     index is 4 k', so that a panel of x, `lanes` examples beside each other, has row k' at byte `lanes` times that;
//     row k of a panel is zero, and fills up batches. Of kChunk columns those of fewer batches come first, so that a
//     processor foresees how often a loop runs (1024 x 1024 at 90 % zeros for 8 examples: 30 µs instead of 35 on AVX-512);
//     places [n]: which of its chunk a column is. start [n + 1] counts entries.
//   kWindows, for few examples on AVX2 and AVX-512: W columns beside each other take a step together, each a non-zero
//     weight within 8 rows, which a register holds and a permutation picks from; on AVX-512, 32 rows from a multiple of
//     16 on, in two registers. Of the columns' next weights the first one's window is taken; who has none there idles,
//     with a weight of 0. Four steps are a quad: 4 W weights, W words of four indices, a word of four windows. start
//     [columns / W + 1] counts quads. At 90 % zeros half of the places are taken, two thirds on AVX-512.
//   kBands, where the zeros stand so: of kBand columns beside each other (a band) the rows that have a weight in any of
//     them, each with the kBand weights, of which three quarters at least are not zero; as in blocks of 4 x 4 or 1 x 16.
//     Indices and batches as in kColumns; start [bands + 1] counts rows. Word 5: whether weights of 0 are among them.
//     Not on AVX-512, where it was never measured.
//   kDense: nothing; the non-zero weights have outgrown the memory, and w itself is multiplied, as a dense product.
#pragma once

#include "gemm.h"

namespace crema {
namespace CREMA_ISA {

enum SparseForm { kDense = 0, kColumns = 1, kWindows = 2, kBands = 3 };

constexpr int64_t kHeaderWords = 16;
constexpr int kBatch = 8;
constexpr int kBand = 4;
constexpr int64_t kChunk = 64;  // columns whose sums are kept before they are written
constexpr int64_t kNarrowRows = 65535 / 4;  // most rows whose indices take 16 bits: row k is one of them

struct SparseProduct {
  int64_t m = 0, n = 0, k = 0;
  const float* x = nullptr;  // [m, k]
  const int32_t* packed = nullptr;  // 64-byte aligned
  const float* w = nullptr;         // [k, n], read for kDense alone
  const float* bias = nullptr;      // [n] or null
  float* y = nullptr;               // [m, n]
  Activation activation = kNone;
};

// The parts of packed weights. `rows` are uint16_t if narrow, else uint32_t.
struct SparseParts {
  SparseForm form;
  bool narrow;
  bool gaps;
  int32_t* start;
  float* values;
  void* rows;
  uint64_t* windows;
  uint8_t* places;

  explicit SparseParts(const int32_t* packed) {
    int32_t* const words = const_cast<int32_t*>(packed);
    form = static_cast<SparseForm>(words[0]);
    narrow = words[1] != 0;
    gaps = words[5] != 0;
    start = words + kHeaderWords;
    values = reinterpret_cast<float*>(words + words[2]);
    rows = words + words[3];
    windows = reinterpret_cast<uint64_t*>(words + words[4]);
    places = reinterpret_cast<uint8_t*>(words + words[4]);
  }
};

// Packs w into `words` words, for products with so many examples at most; up to `few` there may be windows. cursors: n.
void pack_sparse(const float* w, int64_t k, int64_t n, int64_t examples, int64_t few, int32_t* packed, int64_t words,
                 int64_t* cursors);

int64_t sparse_scratch(int64_t m, int64_t n, int64_t k, int32_t threads);
void sparse_product(const SparseProduct& g, char* scratch, int32_t threads);

inline int64_t bands_of(int64_t n) { return (n + kBand - 1) / kBand; }
bool pack_bands(const float* w, int64_t k, int64_t n, int32_t* packed, int64_t words);

// The forms, of sparse_product; columns_product computes kBands too.
int64_t columns_scratch(int64_t m, int64_t k, int32_t threads);
void columns_product(const SparseProduct& g, char* scratch, int32_t threads);
int64_t windows_scratch(int64_t m, int64_t k, int32_t threads);
void windows_product(const SparseProduct& g, char* scratch, int32_t threads);
bool pack_windows(const float* w, int64_t k, int64_t n, int32_t* packed, int64_t words);

}  // namespace CREMA_ISA
}  // namespace crema
