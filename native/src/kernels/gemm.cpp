// gemm.cpp: the product in blocks (after Goto and van de Geijn 2008): a panel of B, kDepth deep and one tile wide,
// stays in the L1 cache while a block of A, kept in the L2 cache, passes over it. A and B are copied into the
// order of the tile only where the copy pays: small products read both where they lie.
#include "../gelu.h"
#include "../gemm_pack.h"
#include "../gemm_paths.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kNearStepsAhead = 16;  // of a panel that lies in the L2 cache
constexpr int64_t kPageFloats = 1024;    // rows as far apart, or a multiple, lie in one set of the L1 cache
constexpr int64_t kFar = 1 << 18;        // floats of a B or C that the L2 cache has no room for

// Panels of C between two visits of its taker. Granite Rapids: the step of 784-1024-1024 at batch 256 with Adam takes
// 5 % less time than with a sweep at its end; blocks of more than one tile gain less, 2 to 16 panels differ little.
constexpr int64_t kTakenPanels = 4;
constexpr int64_t kTakenFloats = kTileRows * kTakenPanels * kTileColumns;

template <Side A>
TileFunction tile_for(int64_t rows, int64_t vectors, Beside also) {
  if (also == kCopy) return tile_of<A, kCopy, false>(rows, vectors);
  if constexpr (kMaskedLoads) {
    if (also == kMask) return tile_of<A, kMask, false>(rows, vectors);
  }
  if constexpr (A == Side::kPanel) {
    if (also == kTake) return tile_of<A, kTake, false>(rows, vectors);
  }
  return also == kShare ? tile_of<A, kShare, false>(rows, vectors) : tile_of<A, kNothing, false>(rows, vectors);
}
TileFunction tile_for(int64_t rows, int64_t vectors, Side a, Beside also) {
  return a == Side::kRows ? tile_for<Side::kRows>(rows, vectors, also) : tile_for<Side::kPanel>(rows, vectors, also);
}

struct Blocks {
  int64_t tiles, panels;
  bool pack_a, pack_b, shares;

  explicit Blocks(const Gemm& g)
      : tiles((g.m + kTileRows - 1) / kTileRows), panels((g.n + kTileColumns - 1) / kTileColumns) {
#if defined(__AVX512F__)
    // A tile reads 14 rows of A as fast where they lie, unless all are in one set of the L1 cache.
    pack_a = panels >= (g.trans_a || g.lda % kPageFloats == 0 ? 6 : 16);
#else
    pack_a = panels >= 6 || (panels >= 3 && g.lda % 256 == 0);
#endif
    pack_b = g.packed_b == nullptr && (g.trans_b || tiles >= 4 || (tiles >= 2 && g.ldb >= 256));
    // Tiles of narrow vectors leave B more time: there only where a panel meets few of them.
    shares = pack_b && !g.trans_b && g.taker == nullptr && g.k * g.n >= kFar && (W == 16 || tiles <= kBlockTiles);
  }
  // First row of a tile: rows are shared out evenly, so that no tile is left with one row.
  int64_t row(const Gemm& g, int64_t tile) const { return g.m * tile / tiles; }
};

// What the taker of a tile reads, which would lie at `c`.
Asked asked_for(const Gemm& g, const float* c) {
  Asked asked;
  asked.from[asked.matrices++] = c;
  for (const float* beside : g.taker->beside) {
    if (beside != nullptr) asked.from[asked.matrices++] = beside + (c - g.taker->home);
  }
  asked.step = g.ldc;
  return asked;
}

void blocked(const Gemm& g, int64_t depth_bound, char* scratch) {
  const Blocks blocks(g);
  const int64_t depths = g.k <= depth_bound ? 1 : (g.k + depth_bound - 1) / depth_bound;
  float* const taken = reinterpret_cast<float*>(scratch);
  float* const packed_a = taken + (g.taker == nullptr ? 0 : kTakenFloats);
  // A taker meets few rows at once: its own are a multiple of 4 KB apart often, in few sets of the L2 cache.
  const int64_t most_tiles = g.taker == nullptr ? kBlockTiles : 1;
  const int64_t block_tiles = blocks.tiles < most_tiles ? blocks.tiles : most_tiles;
  float* const packed_b = packed_a + round_up_to(block_tiles * kTileRows * depth_bound + W, 16);
  const Beside usually = g.taker != nullptr ? kTake : blocks.shares ? kShare : kNothing;
  // A panel of B is packed when the first block of A meets it, and kept where there is a second.
  const bool keeps = blocks.tiles > most_tiles;
  const auto panel_at = [&](int64_t j) {
    return packed_b + (keeps ? j : blocks.shares ? j % 2 : 0) * depth_bound * kTileColumns;
  };

  // Rows of a far transposed B, which lie one behind the other, are asked for by all tiles of the panel before, each
  // its share. Granite Rapids: 256x1024x1024 takes 2 % less time, 64x1024x512 3 %.
  const bool asks_ahead = W == 16 && blocks.tiles >= 4 && g.trans_b && g.packed_b == nullptr && depths == 1 &&
                          g.ldb == g.k && g.k * g.n >= kFar;
  // A near C is written without: what asks for it keeps A and B waiting (squares of 128 to 384 on Granite Rapids: 1 to 2 %).
  const bool far_c = g.taker == nullptr && g.m * g.n >= kFar;

  for (int64_t jc = 0; jc < blocks.panels; jc += kBlockPanels) {
    const int64_t panel_end = jc + kBlockPanels < blocks.panels ? jc + kBlockPanels : blocks.panels;
    for (int64_t d = 0; d < depths; ++d) {
      const int64_t p0 = g.k * d / depths, depth = g.k * (d + 1) / depths - p0;
      const bool last = d + 1 == depths;
      GemmTile t;
      t.k = depth;
      t.ldc = g.taker == nullptr ? g.ldc : kTakenPanels * kTileColumns;
      t.far_c = far_c;
      t.add = g.accumulate || d > 0;
      t.relu = last && g.activation == kRelu;
      for (int64_t ic = 0; ic < blocks.tiles; ic += most_tiles) {
        const int64_t tile_end = ic + most_tiles < blocks.tiles ? ic + most_tiles : blocks.tiles;
        const Side side = blocks.pack_a || g.trans_a ? Side::kPanel : Side::kRows;
        int64_t row_of[kBlockTiles + 1];  // and behind the last
        TileFunction whole[kBlockTiles];  // for panels of kTileColumns that are not copied
        row_of[0] = blocks.row(g, ic);
        for (int64_t i = ic; i < tile_end; ++i) {
          const int64_t row = row_of[i - ic], rows = blocks.row(g, i + 1) - row;
          row_of[i - ic + 1] = row + rows;
          whole[i - ic] = tile_for(rows, kTileVectors, side, usually);
          if (blocks.pack_a) {
            pack_a(g.trans_a ? g.a + p0 * g.lda + row : g.a + row * g.lda + p0, g.lda, g.trans_a, depth, rows,
                   packed_a + (row - row_of[0]) * depth);
          }
        }
        bool ready = false;  // the panel is packed, by the tiles of the one before
        for (int64_t j = jc; j < panel_end; ++j) {
          const int64_t column = j * kTileColumns;
          t.columns = g.n - column < kTileColumns ? g.n - column : kTileColumns;
          const int64_t vectors = (t.columns + W - 1) / W, width = vectors * W;
          const float* b = g.trans_b ? g.b + column * g.ldb + p0 : g.b + p0 * g.ldb + column;
          t.b_step = g.ldb;
          if (g.packed_b != nullptr) {
            b = g.packed_b + column * g.k + p0 * width;
            t.b_step = width;
          }
          t.b = b;
          // Row-major B is packed by the first tile as it reads it, or where it is far by those of the panel before.
          const bool ragged = t.columns < width && g.packed_b == nullptr;
          const bool packed = blocks.pack_b || (!kMaskedLoads && ragged);
          const Beside rarely = ragged && !packed ? kMask : kNothing;
          const bool copied = packed && !g.trans_b && (kMaskedLoads || t.columns == width);
          float* const panel = panel_at(j - jc);
          const bool shares = blocks.shares && ic == 0 && j + 1 < panel_end && g.n - column >= 2 * kTileColumns;
          if (packed && !copied && ic == 0) pack_b(b, g.ldb, g.trans_b, depth, t.columns, width, panel);
          t.bias = last && g.bias != nullptr ? g.bias + column : nullptr;
          const bool asks = asks_ahead && ic == 0 && j + 1 < panel_end;
          for (int64_t i = ic; i < tile_end; ++i) {
            const int64_t row = row_of[i - ic], rows = row_of[i - ic + 1] - row;
            if (blocks.pack_a) {
              t.a = packed_a + (row - row_of[0]) * depth;
              t.a_step = rows;
            } else {
              t.a = g.trans_a ? g.a + p0 * g.lda + row : g.a + row * g.lda + p0;
              t.a_step = g.lda;
            }
            const bool copies = copied && ic == 0 && i == 0 && !ready;
            if (packed && !copies) {
              t.b = panel;
              t.b_step = width;
            }
            t.copy = panel;
            if (blocks.shares) t.ahead = Ahead{};
            if (shares && !copies) {
              const int64_t sharing = ready ? tile_end : tile_end - 1, index = i - tile_end + sharing;
              const int64_t from = depth * index / sharing, to = depth * (index + 1) / sharing;
              t.ahead = {b + from * g.ldb + kTileColumns, g.ldb, panel_at(j + 1 - jc) + from * kTileColumns, to - from};
            }
            const bool first = ic == 0 && i == 0;
            const bool looks_ahead =
                first && g.packed_b == nullptr && !g.trans_b && !blocks.shares && j + 1 < panel_end;
            t.next_step = looks_ahead ? g.ldb : t.b_step;
            t.next = looks_ahead ? b + kTileColumns : t.b + (first ? kStepsAhead : kNearStepsAhead) * t.b_step;
            if (asks) {
              t.next = b + depth * (kTileColumns + kTileColumns * i / tile_end);
              t.next_step = (kTileColumns + tile_end - 1) / tile_end;
            }
            float* const c = g.c + row * g.ldc + column;
            t.c = c;
            if (g.taker != nullptr) {
              t.c = taken + (row - row_of[0]) * t.ldc + (j - jc) % kTakenPanels * kTileColumns;
              t.asked = asked_for(g, c);
            }
            const bool usual = vectors == kTileVectors && !copies && rarely == kNothing;
            (usual ? whole[i - ic] : tile_for(rows, vectors, side, copies ? kCopy : rarely))(t);
            if (last && g.activation > kRelu) {
              for (int64_t r = 0; r < rows; ++r) apply_activation(g.activation, t.c + r * g.ldc, t.columns);
            }
          }
          ready = shares;
          if (g.taker != nullptr && ((j - jc) % kTakenPanels == kTakenPanels - 1 || j + 1 == panel_end)) {
            const int64_t from = (j - (j - jc) % kTakenPanels) * kTileColumns;
            g.taker->take(*g.taker, taken, t.ldc, g.c + row_of[0] * g.ldc + from - g.taker->home,
                          row_of[tile_end - ic] - row_of[0], column + t.columns - from);
          }
        }
      }
    }
  }
}

}  // namespace

Path path_of(const Gemm& g) {
  if (g.bf16 && g.packed_b != nullptr) return g.m <= kTileRows ? Path::kDeep : Path::kBlocked;
  if (g.n == 1 && g.m > 1) return is_near(g) ? Path::kColumnNear : Path::kColumn;
  if (g.m <= kVectorRows) return is_near(g) ? Path::kVectorNear : Path::kVector;
  return g.packed_b != nullptr && g.m <= kTileRows ? Path::kDeep : Path::kBlocked;
}

void gemm_on(Path path, const Gemm& g, char* scratch) {
  if (g.m <= 0 || g.n <= 0) return;
  switch (path) {
    case Path::kBlocked:
      if (g.bf16) return bf16_product(g, false, reinterpret_cast<float*>(scratch));
      return blocked(g, g.k < kDepth ? g.k : kDepth, scratch);
    case Path::kDeep:
      if (g.bf16) return bf16_product(g, true, reinterpret_cast<float*>(scratch));
      return blocked(g, g.k, scratch);
    case Path::kVector:
    case Path::kVectorNear:
      return vector_product(g, path == Path::kVectorNear, reinterpret_cast<float*>(scratch));
    case Path::kColumn:
    case Path::kColumnNear:
      return column_product(g, path == Path::kColumnNear, reinterpret_cast<float*>(scratch));
  }
}

int64_t gemm_scratch(int64_t m, int64_t n, int64_t k) {
  const int64_t depth = m <= kTileRows || k < kDepth ? k : kDepth;
  const int64_t tiles = (m + kTileRows - 1) / kTileRows, panels = (n + kTileColumns - 1) / kTileColumns;
  const int64_t a = round_up_to((tiles < kBlockTiles ? tiles : kBlockTiles) * kTileRows * depth + W, 16);
  const int64_t kept = tiles <= kBlockTiles ? 2 : panels < kBlockPanels ? panels : kBlockPanels;
  const int64_t floats = a + kept * kTileColumns * depth;
  int64_t most = vector_scratch_floats(m, n, k);
  if (floats > most) most = floats;
  if constexpr (kBf16Tiles) {
    const int64_t tiled = bf16_tiles_floats(m, n, k);
    if (tiled > most) most = tiled;
  }
  return round_up_to(most * static_cast<int64_t>(sizeof(float)), 64);
}

int64_t packed_floats(int64_t n, int64_t k) { return round_up_to(n, W) * k; }

void pack_weights(const float* b, int64_t ldb, bool trans, int64_t n, int64_t k, float* packed) {
  for (int64_t j = 0; j < n; j += kTileColumns) {
    const int64_t columns = n - j < kTileColumns ? n - j : kTileColumns;
    pack_b(trans ? b + j * ldb : b + j, ldb, trans, k, columns, round_up_to(columns, W), packed + j * k);
  }
}

bool gives_blocks(const Gemm& g) {
  // Narrower vectors gain nothing: Adam's update of 1024x1024 takes them as long as its sweep of memory.
  return W == 16 && path_of(g) == Path::kBlocked && g.m > kBlockTiles * kTileRows && g.n % kTileColumns == 0 &&
         g.k <= kDepth && g.trans_a && !g.trans_b && !g.bf16 && g.packed_b == nullptr && !g.accumulate &&
         g.bias == nullptr && g.activation == kNone;
}

int64_t taken_scratch(int32_t threads) { return threads * kTakenFloats * static_cast<int64_t>(sizeof(float)); }

void gemm(const Gemm& g, char* scratch) { gemm_on(path_of(g), g, scratch); }

void apply_activation(Activation activation, float* y, int64_t n) {
  switch (activation) {
    case kNone:
      return;
    case kRelu:
      return each(y, y, n, [](vec x) { return at_least(x, vec{}); });
    case kSigmoid:
      return each(y, y, n, [](vec x) { return vsigmoid(x); });
    case kTanh:
      return each(y, y, n, [](vec x) { return vtanh(x); });
    case kGelu:
      return each(y, y, n, [](vec x) { return vgelu(x); });
    case kGeluTanh:
      return each(y, y, n, [](vec x) { return vgelu_tanh(x); });
    case kSilu:
      return each(y, y, n, [](vec x) { return x * vsigmoid(x); });
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
