// gemm_bf16_tiles.cpp: the product of numbers rounded to bfloat16 in AMX's tiles, in blocks as in gemm.cpp. A is packed
// tile by tile, B in panels as pack_weights_bf16 leaves them. Every sum begins at what C holds, or 0, and follows the order
// of k, however the product is cut. Tiles take denormal numbers for 0, as plans do everywhere.
#include "../bf16_block.h"
#include "../gemm_pack.h"
#include "../gemm_paths.h"

#if defined(__AMX_BF16__)
namespace crema {
namespace CREMA_ISA {
namespace {

static_assert(kTileColumns * 4 == 2 * kAmxBytes, "a panel is two tiles wide");

// Row i of y is pair i of each of W rows of x, which have k floats; zeros around what is there.
CREMA_INLINE void transpose_tile(const float* x, int64_t ldx, int64_t rows, int64_t k, float* y, int64_t y_step) {
  vec v[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) v[i] = i < rows ? pairs_at(x + i * ldx, k) : vec{};
  transpose(v);
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) store(y + i * y_step, v[i]);
}

// Steps [0, k) of `rows` rows of op(A) in tiles, the tiles of 16 rows one after the other; zeros around them.
void pack_tiles(const float* a, int64_t lda, bool trans, int64_t k, int64_t rows, float* packed) {
  const int64_t steps = round_up_to(k, kSteps) / kSteps, tiles = round_up_to(rows, kAmxRows) / kAmxRows;
  if (trans) {
    for (int64_t p = 0; p < steps; ++p) {
      const int64_t depth = k - p * kSteps < kSteps ? k - p * kSteps : kSteps;
      for (int64_t t = 0; t < tiles; ++t) {
        const float* const x = a + p * kSteps * lda + t * kAmxRows;
        const int64_t n = rows - t * kAmxRows;
        vec v[W];
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) {
          const vec low = 2 * i < depth ? some(x + 2 * i * lda, n) : vec{};
          v[i] = pair(low, 2 * i + 1 < depth ? some(x + (2 * i + 1) * lda, n) : vec{});
        }
        transpose(v);
        float* const y = packed + (t * steps + p) * kTileFloats;
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) store(y + i * W, v[i]);
      }
    }
    return;
  }
  for (int64_t r = 0; r < tiles * kAmxRows; ++r) {
    float* const y = packed + r / kAmxRows * steps * kTileFloats + r % kAmxRows * W;
    for (int64_t p = 0; p < steps; ++p) {
      store(y + p * kTileFloats, r < rows ? pairs_at(a + r * lda + p * kSteps, k - p * kSteps) : vec{});
    }
  }
}

// Columns of op(B) as panels, panel_floats apart: `columns` <= 64 of them, all steps; zeros around them, so that steps
// and panels are whole. Rows of two panels at once come a third faster from beyond the L2 cache than those of one.
void pack_panels(const float* b, int64_t ldb, bool trans, int64_t k, int64_t columns, float* packed, int64_t panel_floats) {
  const int64_t rows = round_up_to(k, kSteps) / 2;
  const auto width_of = [=](int64_t j) { return columns - j > W ? kTileColumns : W; };  // of the panel that begins at j
  if (trans) {
    for (int64_t j = 0; j < columns; j += kTileColumns, packed += panel_floats) {
      const int64_t width = width_of(j);
      for (int64_t p = 0; p < rows; p += kAmxRows) {
        for (int64_t i = 0; i < width; i += W) {
          transpose_tile(b + (j + i) * ldb + 2 * p, ldb, columns - j - i, k - 2 * p, packed + p * width + i, width);
        }
      }
    }
    return;
  }
  for (int64_t p = 0; p < rows; ++p, b += 2 * ldb) {
    for (int64_t j = 0; j < columns; j += kTileColumns) {
      const int64_t width = width_of(j);
      float* const y = packed + j / kTileColumns * panel_floats + p * width;
      for (int64_t i = 0; i < width; i += W) {
        const vec low = 2 * p < k ? some(b + j + i, columns - j - i) : vec{};
        store(y + i, pair(low, 2 * p + 1 < k ? some(b + ldb + j + i, columns - j - i) : vec{}));
      }
    }
  }
}

int64_t blocks_at_once(int64_t k) {
  const int64_t most = kAmxBlockFloats / (k < 1 ? 1 : k) / kAmxBlockRows;
  return most < 1 ? 1 : least_of(most, kAmxBlocks);
}

int64_t panels_at_once(int64_t k) {
  const int64_t most = kAmxPanelFloats / (k < 1 ? 1 : k) / kTileColumns;
  return most < 2 ? 2 : most & ~int64_t{1};
}

}  // namespace

int64_t bf16_tiles_floats(int64_t m, int64_t n, int64_t k) {
  const int64_t blocks = (m + kAmxBlockRows - 1) / kAmxBlockRows, panels = (n + kTileColumns - 1) / kTileColumns;
  const int64_t at_once = blocks_at_once(k), kept = blocks <= at_once ? 2 : least_of(panels + 1, panels_at_once(k));
  const int64_t pairs = round_up_to(k, kSteps) / 2;
  return (least_of(blocks, at_once) * kAmxBlockRows + kept * kTileColumns) * pairs;
}

void bf16_product(const Gemm& g, bool, float* scratch) {
  const int64_t blocks = (g.m + kAmxBlockRows - 1) / kAmxBlockRows, panels = (g.n + kTileColumns - 1) / kTileColumns;
  const int64_t pairs = round_up_to(g.k, kSteps) / 2, panel_floats = pairs * kTileColumns;
  const int64_t at_once = blocks_at_once(g.k) * kAmxBlockRows, group = panels_at_once(g.k);
  const bool kept = blocks > blocks_at_once(g.k);  // packed panels are, for the next rows
  float* const packed_a = scratch;
  float* const packed_b = packed_a + least_of(blocks * kAmxBlockRows, at_once) * pairs;
  alignas(64) float sums[kAmxBlockRows * kTileColumns];
  alignas(64) float rest[2][kAmxRows * kTileColumns];
  Finish before;
  Block b;
  b.steps = pairs / kAmxRows;
  b.a_lower = b.steps * kTileFloats;
  Target t;
  t.ldc = g.ldc;
  t.accumulate = g.accumulate;
  t.activation = g.activation;
  amx_configure(g.m <= kAmxRows ? g.m : kAmxBlockRows);
  for (int64_t jc = 0; jc < panels; jc += group) {
    for (int64_t ic = 0; ic < g.m; ic += at_once) {
      const int64_t rows = least_of(g.m - ic, at_once);
      const int64_t low = rows % kAmxBlockRows <= kAmxRows ? rows % kAmxBlockRows : 0, tall = rows - low;
      pack_tiles(g.trans_a ? g.a + ic : g.a + ic * g.lda, g.lda, g.trans_a, g.k, rows, packed_a);
      for (int64_t j = jc; j < panels && j < jc + group; j += 2) {
        const int64_t column = j * kTileColumns, columns = least_of(g.n - column, 2 * kTileColumns);
        const float* panel[2] = {};
        const float* last[2] = {};  // steps that are not whole
        if (g.packed_b != nullptr) {
          for (int64_t i = 0; i * kTileColumns < columns; ++i) {
            const int64_t width = columns - i * kTileColumns > W ? kTileColumns : W, all = (g.k + 1) / 2;
            panel[i] = g.packed_b + (column + i * kTileColumns) * all;
            if (all == pairs) continue;
            const int64_t whole = pairs - kAmxRows;
            std::memcpy(rest[i], panel[i] + whole * width, static_cast<size_t>((all - whole) * width) * sizeof(float));
            std::memset(rest[i] + (all - whole) * width, 0, static_cast<size_t>((pairs - all) * width) * sizeof(float));
            last[i] = rest[i];
          }
        } else {
          float* const to = packed_b + (kept ? j - jc : 0) * panel_floats;
          panel[0] = to;
          panel[1] = to + panel_floats;
          if (ic == 0) {
            const float* const from = g.trans_b ? g.b + column * g.ldb : g.b + column;
            pack_panels(from, g.ldb, g.trans_b, g.k, columns, to, panel_floats);
          }
        }
        const bool both = columns > kTileColumns + W;  // panels are whole ones
        for (int64_t i = 0; i * kTileColumns < columns; ++i) {
          t.columns = least_of(columns - i * kTileColumns, kTileColumns);
          t.bias = g.bias != nullptr ? g.bias + column + i * kTileColumns : nullptr;
          const bool narrow = t.columns <= W;
          b.b_width = narrow ? W : kTileColumns;
          b.b[0] = panel[i];
          b.b_rest[0] = last[i];
          for (int64_t row = 0; row < tall; row += kAmxBlockRows) {
            t.rows = least_of(tall - row, kAmxBlockRows);
            t.c = g.c + (ic + row) * g.ldc + column + i * kTileColumns;
            b.a = packed_a + row / kAmxRows * b.a_lower;
            (narrow ? block<2, 1> : block<2, 2>)(b, t, before, sums);
          }
          if (low == 0 || (both && i > 0)) continue;
          t.rows = low;
          t.c = g.c + (ic + tall) * g.ldc + column + i * kTileColumns;
          b.a = packed_a + tall / kAmxRows * b.a_lower;
          if (both) {
            t.columns = columns;
            b.b[1] = panel[1];
            b.b_rest[1] = last[1];
          }
          (both ? block<1, 4> : narrow ? block<1, 1> : block<1, 2>)(b, t, before, sums);
        }
      }
    }
  }
  before.all();
  amx_release();
}

}  // namespace CREMA_ISA
}  // namespace crema
#endif
