// gemm_bf16.cpp: the product of numbers rounded to bfloat16, summed in float32 (Kalamkar et al. 2019), in blocks as in
// gemm.cpp. Both operands are always packed: as pairs where the processor multiplies pairs, else as rounded floats. With
// AMX it is gemm_bf16_tiles.cpp's.
#include "../gemm_pack.h"
#include "../gemm_paths.h"

namespace crema {
namespace CREMA_ISA {

#if !defined(__AMX_BF16__)
namespace {

#if defined(__AVX512BF16__)
// As transpose_rows, of pairs: row j of y is pair j of every row of x, which has k floats.
CREMA_INLINE void transpose_pairs(const float* x, int64_t x_step, int64_t rows, int64_t k, float* y, int64_t y_step) {
  const int64_t steps = steps_of(k);
  for (int64_t j = 0; j < steps; j += W) {
    const int64_t left = k - 2 * j < 2 * W ? k - 2 * j : 2 * W;
    vec v[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) v[i] = i < rows ? pairs_at(x + i * x_step + 2 * j, left) : vec{};
    transpose(v);
    const int64_t count = steps - j < W ? steps - j : W;
    for (int64_t i = 0; i < count; ++i) store(y + (j + i) * y_step, v[i]);
  }
}

// Rows 2 p and 2 p + 1 of x, k rows of n floats, as a row of pairs, `step` floats apart.
CREMA_INLINE void interleave_rows(const float* x, int64_t ldx, int64_t k, int64_t n, float* y, int64_t step) {
  for (int64_t p = 0; p < k; p += 2, x += 2 * ldx, y += step) {
    for (int64_t j = 0; j < n; j += W) {
      const vec low = some(x + j, n - j);
      store(y + j, pair(low, p + 1 < k ? some(x + ldx + j, n - j) : vec{}));
    }
  }
}

void pack_rows(const float* a, int64_t lda, bool trans, int64_t k, int64_t rows, float* packed) {
  if (trans) {
    interleave_rows(a, lda, k, rows, packed, rows);
  } else {
    transpose_pairs(a, lda, rows, k, packed, rows);
  }
}

void pack_columns(const float* b, int64_t ldb, bool trans, int64_t k, int64_t columns, int64_t width, float* packed) {
  if (!trans) return interleave_rows(b, ldb, k, columns, packed, width);
  for (int64_t j = 0; j < width; j += W) {
    transpose_pairs(b + j * ldb, ldb, columns - j < W ? columns - j : W, k, packed + j, width);
  }
}
#else
void round_all(float* x, int64_t n) {
  each(x, x, n, [](vec v) { return round_bf16(v); });
}

void pack_rows(const float* a, int64_t lda, bool trans, int64_t k, int64_t rows, float* packed) {
  pack_a(a, lda, trans, k, rows, packed);
  round_all(packed, k * rows);
}

void pack_columns(const float* b, int64_t ldb, bool trans, int64_t k, int64_t columns, int64_t width, float* packed) {
  pack_b(b, ldb, trans, k, columns, width, packed);
  round_all(packed, k * width);
}
#endif

// Packed weights as the tile reads them: pairs as they are, or in `panel` as floats.
const float* weights(const float* pairs, int64_t k, int64_t width, float* panel) {
  if (kPairs) return pairs;
  for (int64_t p = 0; p < k; p += 2, pairs += width) {
    for (int64_t j = 0; j < width; j += W) {
      const vec both = load(pairs + j);
      store(panel + p * width + j, low_of(both));
      if (p + 1 < k) store(panel + (p + 1) * width + j, high_of(both));
    }
  }
  return panel;
}

}  // namespace

void bf16_product(const Gemm& g, bool deep, float* scratch) {
  const int64_t tiles = (g.m + kTileRows - 1) / kTileRows, panels = (g.n + kTileColumns - 1) / kTileColumns;
  const int64_t all = steps_of(g.k);
  const int64_t bound = deep || all < kDepth ? all : kDepth;
  const int64_t depths = bound == 0 ? 1 : (all + bound - 1) / bound;
  const int64_t block_tiles = tiles < kBlockTiles ? tiles : kBlockTiles;
  float* const packed_a = scratch;
  float* const packed_b = packed_a + round_up_to(block_tiles * kTileRows * bound + W, 16);
  const int64_t panel_floats = tiles > kBlockTiles ? bound * kTileColumns : 0;
  const auto row_of = [&](int64_t tile) { return g.m * tile / tiles; };
  const auto start = [&](int64_t d) { return d == depths ? g.k : (g.k * d / depths) & ~int64_t{1}; };

  for (int64_t jc = 0; jc < panels; jc += kBlockPanels) {
    const int64_t panel_end = jc + kBlockPanels < panels ? jc + kBlockPanels : panels;
    for (int64_t d = 0; d < depths; ++d) {
      const int64_t p0 = start(d), depth = start(d + 1) - p0;
      const bool last = d + 1 == depths;
      GemmTile t;
      t.k = steps_of(depth);
      t.ldc = g.ldc;
      t.add = g.accumulate || d > 0;
      t.relu = last && g.activation == kRelu;
      for (int64_t ic = 0; ic < tiles; ic += kBlockTiles) {
        const int64_t tile_end = ic + kBlockTiles < tiles ? ic + kBlockTiles : tiles;
        for (int64_t i = ic; i < tile_end; ++i) {
          pack_rows(g.trans_a ? g.a + p0 * g.lda + row_of(i) : g.a + row_of(i) * g.lda + p0, g.lda, g.trans_a, depth,
                    row_of(i + 1) - row_of(i), packed_a + (row_of(i) - row_of(ic)) * t.k);
        }
        for (int64_t j = jc; j < panel_end; ++j) {
          const int64_t column = j * kTileColumns;
          t.columns = g.n - column < kTileColumns ? g.n - column : kTileColumns;
          const int64_t vectors = (t.columns + W - 1) / W, width = vectors * W;
          float* const panel = packed_b + (j - jc) * panel_floats;
          t.b = panel;
          t.b_step = width;
          if (g.packed_b != nullptr) {
            t.b = weights(g.packed_b + column * ((g.k + 1) / 2) + p0 / 2 * width, depth, width, panel);
          } else if (ic == 0) {
            pack_columns(g.trans_b ? g.b + column * g.ldb + p0 : g.b + p0 * g.ldb + column, g.ldb, g.trans_b, depth,
                         t.columns, width, panel);
          }
          t.next = t.b + kStepsAhead * width;
          t.next_step = width;
          t.bias = last && g.bias != nullptr ? g.bias + column : nullptr;
          for (int64_t i = ic; i < tile_end; ++i) {
            const int64_t row = row_of(i), rows = row_of(i + 1) - row;
            t.a = packed_a + (row - row_of(ic)) * t.k;
            t.a_step = rows;
            t.c = g.c + row * g.ldc + column;
            tile_of<Side::kPanel, kNothing, kPairs>(rows, vectors)(t);
            if (last && g.activation > kRelu) {
              for (int64_t r = 0; r < rows; ++r) apply_activation(g.activation, t.c + r * g.ldc, t.columns);
            }
          }
        }
      }
    }
  }
}
#endif

void pack_weights_bf16(const float* b, int64_t ldb, int64_t n, int64_t k, float* packed) {
  for (int64_t j = 0; j < n; j += kTileColumns) {
    const int64_t columns = n - j < kTileColumns ? n - j : kTileColumns, width = round_up_to(columns, W);
    float* y = packed + j * ((k + 1) / 2);
    for (int64_t p = 0; p < k; p += 2, y += width) {
      const float* const low = b + p * ldb + j;
      for (int64_t i = 0; i < columns; i += W) {
        store(y + i, pair(some(low + i, columns - i), p + 1 < k ? some(low + ldb + i, columns - i) : vec{}));
      }
    }
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
