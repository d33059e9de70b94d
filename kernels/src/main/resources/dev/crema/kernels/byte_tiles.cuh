// byte_tiles.cuh: products of bytes by tensor cores: [m, k] unsigned times packed [k, n] signed, or both fp8 (fp8.cuh). The rows of the
// first are a matrix's, or windows of images, gathered as they are needed; where they come from and where the sums go are the caller's:
//
//   Rows: Row row(r)            where row r begins; also for r >= m, whose bytes are zeros or whatever
//         Position at(word)     where word `word` of a row (four bytes) is; advance(position, words) goes on
//         u32 word(row, position)             four bytes
//         const u8* whole(row, position)      the address of 16 bytes from there on; null: they are `padding()` four times
//         bool is_whole()       whether `whole` may be asked for: all rows in pieces of 16 bytes, aligned
//   Weights: fetch, read, of_column: where the bytes of a column are, as RowWeights below
//   Sums: Sum                                 int: of unsigned by signed bytes; float: of fp8
//         Columns columns(column)             what outputs of eight columns from a multiple of eight on share
//         put(row, column, columns, sums)     those of a row, of which some may lie beyond n
//         put(row, column, sum)               one
//
// Where sums are whole numbers, tiles, strips and their order change no bit.
#pragma once

#include "copies.cuh"
#include "fp8.cuh"
#include "int8.cuh"

constexpr int kRunWords = 16;  // of k, multiplied at a time: 64 bytes
constexpr int kStages = 3;     // of shared memory: one is multiplied while two are on their way

// d [16, 8] += a [16, 32] b [32, 8], spread over a warp as PTX says: with g = lane / 4 and t = lane % 4, a[0] and a[2] are the bytes
// 4t ... of row g from 0 and from 16, a[1] and a[3] of row g + 8, b[0] and b[1] the rows 4t ... of column g from 0 and from 16, d[0] and
// d[1] the columns 2t, 2t + 1 of row g, d[2] and d[3] of row g + 8.
CREMA_DEVICE void mma_bytes(int (&d)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
#if defined(CREMA_EMULATED)
  const u32 mine[6] = {a0, a1, a2, a3, b0, b1};
  const auto* const lanes = crema_emulation::of_warp(mine, __FILE__, __LINE__);
  const int lane = lane_of_warp(), first = lane / 4 * 4;
  for (int t = 0; t < 4; ++t) {
    const u32(&a)[6] = *lanes[first + t];
    for (int j = 0; j < 2; ++j) {
      const u32(&b)[6] = *lanes[(lane % 4 * 2 + j) * 4 + t];
      d[j] = dot4(a[2], static_cast<int>(b[5]), dot4(a[0], static_cast<int>(b[4]), d[j]));
      d[2 + j] = dot4(a[3], static_cast<int>(b[5]), dot4(a[1], static_cast<int>(b[4]), d[2 + j]));
    }
  }
  __syncwarp();
#else
  asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#endif
}

CREMA_DEVICE u32 word_of(const uint4& v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

// Outputs of a warp: of 16 kRows rows and 32 columns. Lane 4g + t holds the eight columns from 8t on of the rows 16i + g and 16i + g + 8:
// which word of k is which of an mma's, and which column, is free as long as both factors agree. So a lane takes all from memory 16
// bytes at a time: of a row the words 4t ... 4t + 3, of those steps of the weights the columns 4g ... 4g + 3.
template <int kRows, typename Sum>
struct WarpSums {
  Sum of[kRows][4][4];

  CREMA_DEVICE_METHOD void clear() {
    CREMA_UNROLL
    for (int i = 0; i < kRows; ++i) {
      CREMA_UNROLL
      for (int j = 0; j < 4; ++j) of[i][j][0] = of[i][j][1] = of[i][j][2] = of[i][j][3] = 0;
    }
  }
  // 64 bytes of k: `upper` and `lower` of the rows 16i + g and 16i + g + 8, w[s] of step 4t + s.
  CREMA_DEVICE_METHOD void add(int i, const uint4& upper, const uint4& lower, const uint4 (&w)[4]) {
    CREMA_UNROLL
    for (int j = 0; j < 4; ++j) mma_bytes(of[i][j], upper.x, lower.x, upper.y, lower.y, word_of(w[0], j), word_of(w[1], j));
    CREMA_UNROLL
    for (int j = 0; j < 4; ++j) mma_bytes(of[i][j], upper.z, lower.z, upper.w, lower.w, word_of(w[2], j), word_of(w[3], j));
  }
  // The eight of row 16i + g, or of the row 8 below.
  CREMA_DEVICE_METHOD void eight(int i, bool below, Sum (&sums)[8]) const {
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) sums[e] = of[i][e % 4][(below ? 2 : 0) + e / 4];
  }
};

// Weights as they are packed, and as cuBLASLt takes them, too: the words of a column, of all steps, beside each other. In a stage 16 bytes of a column are beside
// each other, and every other four columns change places in pairs, for the banks' sake. kWhole: steps are a multiple of four.
struct RowWeights {
  const int* packed;
  int steps, columns;

  CREMA_DEVICE_METHOD int place(int column, int piece) const { return (column * 4 + piece) ^ (column & 4); }
  template <int kTile, bool kWhole>
  CREMA_DEVICE_METHOD void fetch(uint4* stage, int piece, int run, i64 column0) const {
    const int step = run * kRunWords + piece % 4 * 4;
    const i64 column = column0 + piece / 4;
    uint4* const to = stage + place(piece / 4, piece % 4);
    const int* const from = packed + column * steps + step;
    if (kWhole || steps % 4 == 0) {
      const bool there = column < columns && step < steps;
      copy_16(to, there ? from : packed, there);
    } else {
      CREMA_UNROLL
      for (int s = 0; s < 4; ++s) {
        const bool there = column < columns && step + s < steps;
        copy_4(reinterpret_cast<u32*>(to) + s, there ? from + s : packed, there);
      }
    }
  }
  template <int kTile>
  CREMA_DEVICE_METHOD void read(const uint4* stage, int t, int column, uint4 (&w)[4]) const {
    uint4 of[4];
    CREMA_UNROLL
    for (int j = 0; j < 4; ++j) of[j] = stage[place(column + j, t)];
    turn(of, w);
  }
  CREMA_DEVICE_METHOD void read(int step, i64 column, uint4 (&w)[4]) const {
    uint4 of[4];
    CREMA_UNROLL
    for (int j = 0; j < 4; ++j) of[j] = column < columns ? of_column(step, column + j) : make_uint4(0, 0, 0, 0);
    turn(of, w);
  }
  CREMA_DEVICE_METHOD uint4 of_column(int step, i64 column) const {
    const int* const from = packed + column * steps + step;
    if (steps % 4 == 0) return step < steps ? *reinterpret_cast<const uint4*>(from) : make_uint4(0, 0, 0, 0);
    u32 w[4];
    CREMA_UNROLL
    for (int s = 0; s < 4; ++s) w[s] = step + s < steps ? static_cast<u32>(from[s]) : 0u;
    return make_uint4(w[0], w[1], w[2], w[3]);
  }
  CREMA_DEVICE_METHOD void turn(const uint4 (&of)[4], uint4 (&w)[4]) const {
    CREMA_UNROLL
    for (int s = 0; s < 4; ++s) w[s] = make_uint4(word_of(of[0], s), word_of(of[1], s), word_of(of[2], s), word_of(of[3], s));
  }
};

template <typename Rows>
CREMA_DEVICE uint4 sixteen_bytes(const Rows& rows, const typename Rows::Row& row, typename Rows::Position at, bool whole) {
  const u32 padding = rows.padding();
  if (whole) {
    const u8* const p = rows.whole(row, at);
    return p != nullptr ? *reinterpret_cast<const uint4*>(p) : make_uint4(padding, padding, padding, padding);
  }
  u32 words[4];
  CREMA_UNROLL
  for (int i = 0; i < 4; ++i) {
    words[i] = rows.word(row, at);
    rows.advance(at, 1);
  }
  return make_uint4(words[0], words[1], words[2], words[3]);
}

// Tiles of kTile x kTile outputs, a block each, whose warps stand in kDown rows and kTile / 32 columns. Three stages of both factors lie in
// shared memory. kWhole: rows are copied without passing through registers; else they are read before a stage is multiplied and put down
// after it.
template <int kTile, int kDown, bool kWhole, typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_tiles(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  constexpr int kAcross = kTile / 32, kBlock = kDown * kAcross * kWarp;
  constexpr int kPieces = kTile * kRunWords / 4 / kBlock;  // of 16 bytes, of each factor and stage, of a thread
  constexpr int kMmas = kTile / kDown / 16;
  CREMA_SHARED(uint4, xs, kStages * kTile * kRunWords / 4);
  CREMA_SHARED(uint4, ws, kStages * kTile * kRunWords / 4);
  const int runs = (weights.steps + kRunWords - 1) / kRunWords;
  const i64 across = (n + kTile - 1) / kTile, tiles = (m + kTile - 1) / kTile * across;
  const int thread = static_cast<int>(threadIdx.x), g = lane_of_warp() / 4, t = lane_of_warp() % 4;
  const int down = warp_of_block() / kAcross * (kTile / kDown), right = warp_of_block() % kAcross * 32;
  for (i64 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const i64 row0 = tile / across * kTile, column0 = tile % across * kTile;
    typename Rows::Row row[kPieces];
    CREMA_UNROLL
    for (int p = 0; p < kPieces; ++p) row[p] = rows.row(row0 + thread / 4 + p * (kBlock / 4));
    typename Rows::Position position = rows.at(thread % 4 * 4);
    uint4 next[kPieces];  // where not kWhole
    // The next run of k, into a stage; runs come in order.
    const auto fetch = [&](int run, int stage) {
      CREMA_UNROLL
      for (int p = 0; p < kPieces; ++p) {
        uint4* const x = xs + stage * (kTile * 4) + p * kBlock + thread;
        if (!kWhole) {
          next[p] = sixteen_bytes(rows, row[p], position, false);
        } else if (const u8* const from = rows.whole(row[p], position)) {
          copy_16(x, from, true);
        } else {
          *x = make_uint4(rows.padding(), rows.padding(), rows.padding(), rows.padding());
        }
        weights.template fetch<kTile, kWhole>(ws + stage * (kTile * 4), p * kBlock + thread, run, column0);
      }
      rows.advance(position, kRunWords);
    };
    const auto put_down = [&](int stage) {
      CREMA_UNROLL
      for (int p = 0; p < kPieces; ++p) {
        if (!kWhole) xs[stage * (kTile * 4) + p * kBlock + thread] = next[p];
      }
    };
    WarpSums<kMmas, typename Sums::Sum> products;
    products.clear();
    __syncthreads();  // the tile before is read
    CREMA_UNROLL
    for (int stage = 0; stage < kStages - 1; ++stage) {
      if (stage < runs) {
        fetch(stage, stage);
        put_down(stage);
      }
      end_group();
    }
    int stage = 0;
    for (int run = 0; run < runs; ++run) {
      wait_for_all_but<kStages - 2>();
      __syncthreads();  // this run has come, and the stage of the run before is read
      const bool more = run + kStages - 1 < runs;
      const int free = stage == 0 ? kStages - 1 : stage - 1;
      if (more) fetch(run + kStages - 1, free);
      end_group();
      uint4 w[4];
      weights.template read<kTile>(ws + stage * (kTile * 4), t, right + 4 * g, w);
      CREMA_UNROLL
      for (int i = 0; i < kMmas; ++i) {
        const uint4* const x = xs + stage * (kTile * 4) + (down + i * 16 + g) * 4 + t;
        const uint4 upper = x[0], lower = x[8 * 4];
        products.add(i, upper, lower, w);
      }
      if (more) put_down(free);
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }
    const i64 column = column0 + right + 8 * t;
    if (column < n) {
      const auto shared = sums.columns(column);
      CREMA_UNROLL
      for (int i = 0; i < 2 * kMmas; ++i) {
        typename Sums::Sum eight[8];
        products.eight(i / 2, i % 2 != 0, eight);
        const i64 r = row0 + down + i / 2 * 16 + g + i % 2 * 8;
        if (r < m) sums.put(r, column, shared, eight);
      }
    }
  }
}

// For few outputs: strips of 16 rows and 8 kMmas columns, a block each; its eight warps take runs of k in turn, straight from memory, and
// their sums are added at the end. So that a weight, which is read for 16 rows at most, comes by as many loads at once as can be.
constexpr int kStripWarps = 8;
template <int kMmas, typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_strips(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  static_assert(kMmas == 1 || kMmas == 4, "a lane loads one column of a step, or four");
  constexpr int kColumns = 8 * kMmas;
  using Sum = typename Sums::Sum;
  CREMA_SHARED(Sum, of_warps, kStripWarps * 16 * kColumns);
  const int runs = (weights.steps + kRunWords - 1) / kRunWords;
  const i64 across = (n + kColumns - 1) / kColumns, strips = (m + 15) / 16 * across;
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4, warp = warp_of_block();
  const bool whole = rows.is_whole();
  for (i64 strip = blockIdx.x; strip < strips; strip += gridDim.x) {
    const i64 row0 = strip / across * 16, column0 = strip % across * kColumns;
    const typename Rows::Row upper = rows.row(row0 + g), lower = rows.row(row0 + g + 8);
    typename Rows::Position position = rows.at(warp * kRunWords + 4 * t);
    WarpSums<1, typename Sums::Sum> products;
    products.clear();
    for (int run = warp; run < runs; run += kStripWarps) {
      const uint4 a = sixteen_bytes(rows, upper, position, whole), b = sixteen_bytes(rows, lower, position, whole);
      rows.advance(position, kStripWarps * kRunWords);
      const int step = run * kRunWords + 4 * t;
      if (kMmas == 4) {
        uint4 w[4];
        weights.read(step, column0 + 4 * g, w);
        products.add(0, a, b, w);
      } else {
        const uint4 w = weights.of_column(step, column0 + g);
        mma_bytes(products.of[0][0], a.x, b.x, a.y, b.y, w.x, w.y);
        mma_bytes(products.of[0][0], a.z, b.z, a.w, b.w, w.z, w.w);
      }
    }
    __syncthreads();  // the strip before is read
    Sum* const mine = of_warps + (warp * 16 + g) * kColumns;
    CREMA_UNROLL
    for (int e = 0; e < 2 * kMmas; ++e) {
      const int place = kMmas == 4 ? 8 * t + e : 2 * t + e;
      mine[place] = kMmas == 4 ? products.of[0][e % 4][e / 4] : products.of[0][0][e];
      mine[place + 8 * kColumns] = kMmas == 4 ? products.of[0][e % 4][2 + e / 4] : products.of[0][0][2 + e];
    }
    __syncthreads();
    for (int e = static_cast<int>(threadIdx.x); e < 16 * kColumns; e += static_cast<int>(blockDim.x)) {
      Sum sum = 0;
      CREMA_UNROLL
      for (int w = 0; w < kStripWarps; ++w) sum += of_warps[w * 16 * kColumns + e];
      const i64 r = row0 + e / kColumns, column = column0 + e % kColumns;
      if (r < m && column < n) sums.put(r, column, sum);
    }
  }
}

// Weights behind which what columns share is packed: offsets and scales, or scales.
template <typename Weights>
CREMA_DEVICE Weights weights_of(const int* packed, int steps, int n) {
  return {packed, steps, static_cast<int>(packed_columns(n))};
}

// The kinds of a layer's kernels: how each is declared, and what it does. Great tiles leave room for a second block of a multiprocessor
// by themselves where they can; where that is demanded, the compiler spills.
#define CREMA_DECLARE_tiles_128(name, ...) CREMA_KERNEL(name, 256, __VA_ARGS__)
#define CREMA_DECLARE_tiles_64(name, ...) CREMA_KERNEL_TOGETHER(name, 128, 4, __VA_ARGS__)
#define CREMA_DECLARE_tiles_any(name, ...) CREMA_KERNEL_TOGETHER(name, 128, 4, __VA_ARGS__)
#define CREMA_DECLARE_strips_32(name, ...) CREMA_KERNEL_TOGETHER(name, 256, 2, __VA_ARGS__)
#define CREMA_DECLARE_strips_8(name, ...) CREMA_KERNEL_TOGETHER(name, 256, 2, __VA_ARGS__)
#define CREMA_BYTE_KINDS(EACH) EACH(tiles_128) EACH(tiles_64) EACH(tiles_any) EACH(strips_32) EACH(strips_8)

template <typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_tiles_128(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  byte_tiles<128, 2, true>(rows, weights, m, n, sums);
}
template <typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_tiles_64(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  byte_tiles<64, 2, true>(rows, weights, m, n, sums);
}
template <typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_tiles_any(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  byte_tiles<64, 2, false>(rows, weights, m, n, sums);
}
template <typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_strips_32(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  byte_strips<4>(rows, weights, m, n, sums);
}
template <typename Rows, typename Weights, typename Sums>
CREMA_DEVICE void byte_strips_8(const Rows& rows, const Weights& weights, i64 m, int n, const Sums& sums) {
  byte_strips<1>(rows, weights, m, n, sums);
}

// Of x [m, k].
struct DenseRows {
  const u8* x;
  i64 m;
  int k;

  using Row = const u8*;  // null beyond m
  using Position = int;   // a word of k
  CREMA_DEVICE_METHOD Row row(i64 r) const { return r < m ? x + r * k : nullptr; }
  CREMA_DEVICE_METHOD Position at(int word) const { return word; }
  CREMA_DEVICE_METHOD void advance(Position& p, int words) const { p += words; }
  CREMA_DEVICE_METHOD bool is_whole() const { return k % 16 == 0 && is_aligned(x, 16); }
  CREMA_DEVICE_METHOD const u8* whole(Row r, Position p) const { return r != nullptr && 4 * p < k ? r + 4 * p : nullptr; }
  CREMA_DEVICE_METHOD u32 word(Row r, Position p) const { return r != nullptr && 4 * p < k ? four_bytes(r + 4 * p, k - 4 * p) : 0u; }
  CREMA_DEVICE_METHOD u32 padding() const { return 0; }
};

// Of a layer whose input's scale is known: to numbers or bytes.
struct StaticSums {
  Target t;
  const int* offset;
  const float* scale;
  i64 n;

  using Sum = int;
  struct Columns {
    int offset[8];
    float scale[8];
  };
  CREMA_DEVICE_METHOD Columns columns(i64 column) const {
    Columns c;
    load_eight(offset + column, c.offset);
    load_eight(scale + column, c.scale);
    return c;
  }
  CREMA_DEVICE_METHOD void put(i64 r, i64 column, const Columns& c, const int (&sums)[8]) const {
    float v[8];
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) v[e] = number_of_static(sums[e], c.offset[e], c.scale[e]);
    put_eight(t, r * n + column, v, n - column);
  }
  CREMA_DEVICE_METHOD void put(i64 r, i64 column, int sum) const {
    put_number(t, r * n + column, number_of_static(sum, offset[column], scale[column]));
  }
};
CREMA_DEVICE StaticSums static_sums(const Target& t, const int* packed, i64 steps, i64 n) {
  const int* const offset = packed + steps * packed_columns(n);
  return {t, offset, reinterpret_cast<const float*>(offset + packed_columns(n)), n};
}
