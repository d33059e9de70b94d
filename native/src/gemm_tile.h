// gemm_tile.h: the register tile of the matrix product: up to kTileRows x kTileColumns of C in registers, summed
// over one block of k. Every element of C is one chain of multiply-adds in the order of k whatever the
// tile's size, so how C is cut into tiles cannot change a bit.
#pragma once

#include "bf16.h"
#include "gemm.h"

namespace crema {
namespace CREMA_ISA {

// AVX-512: 28 of 32 registers hold C, 2 hold B, A is broadcast from memory. Measured against 12x32 and 8x48.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
constexpr bool kMaskedLoads = true;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
constexpr bool kMaskedLoads = false;
#elif defined(__ARM_NEON)
constexpr int kTileRows = 12;
constexpr bool kMaskedLoads = false;
#else
constexpr int kTileRows = 4;
constexpr bool kMaskedLoads = false;
#endif
constexpr int kTileVectors = 2;
constexpr int kTileColumns = kTileVectors * W;

// How A lies in memory.
enum class Side {
  kRows,  // the tile's rows are a_step apart, steps of k adjacent
  kPanel  // the tile's rows are adjacent, steps of k a_step apart: packed, or A stored transposed
};

// What a tile does beside its sum.
enum Beside {
  kNothing,
  kMask,   // leaves out what lies behind B's last column: where kMaskedLoads, for a B that is no panel
  kCopy,   // copies its panel of B as it reads it, and masks it so
  kShare,  // asks for C and copies a share of the next panel of B, a little at a time
  kTake    // asks for what the taker of C will read beside it, a little at a time
};

// Steps of k between two such times: too rare, and lines wait for each other, of which a core has 16 on their way from
// the last cache or from memory; too often, and the times cost more than the waiting. Rows are asked for 64 steps
// before they are copied. On Granite Rapids, in turns with kCopy: 256x1024x1024 takes 8 % less time, 1024x1024x256 of
// a transposed A 3 %, 32x1024x1024 17 %, with AVX2 11 %.
constexpr int64_t kPace = W == 16 ? 16 : 64;
constexpr int64_t kPacesAhead = 64 / kPace;
struct Ahead {
  const float* from = nullptr;  // rows of kTileColumns, from_step apart
  int64_t from_step = 0;
  float* to = nullptr;
  int64_t rows = 0;
};

// As many rows and columns as the tile's of up to four matrices alike.
struct Asked {
  const float* from[4] = {};
  int matrices = 0;
  int64_t step = 0;
};

struct GemmTile {
  const float* a = nullptr;
  int64_t a_step = 0;
  const float* b = nullptr;  // rows of B, b_step apart; but for kMask and kCopy readable to the end of the last vector
  int64_t b_step = 0;
  const float* next = nullptr;  // rows of what is read after this tile, next_step apart
  int64_t next_step = 0;
  float* copy = nullptr;  // kCopy: takes B in rows of whole vectors
  Ahead ahead;            // kShare: of the next panel
  Asked asked;            // kTake
  int64_t k = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  bool far_c = false;           // whether C is asked for before it is written
  int64_t columns = 0;          // of C that are stored
  bool add = false;             // to what C holds
  const float* bias = nullptr;  // for these columns, added after everything else; null: none
  bool relu = false;
};

// Pairs: A and B hold pairs of bfloat16, of two steps of k, and t.k counts pairs.
template <int Rows, int Vectors, Side A, Beside Also, bool Pairs>
static void tile(const GemmTile& t) {
  constexpr bool kTakes = Also == kTake;
  constexpr bool kShares = Also == kShare, kPaced = kShares || kTakes;
  // A masked load takes a turn of a port that multiplies, one more than the 28 of a step of 14x32. On Granite Rapids
  // tiles take 6 % less time without, products 2 to 4 %.
  constexpr bool kMasks = kMaskedLoads && (Also == kMask || Also == kCopy);
  const float* b = t.b;
  const float* next = t.next;
  float* copy = t.copy;
  const int64_t next_step = t.next_step;
  const int64_t b_step = t.b_step, ldc = t.ldc;
  const int64_t tail = t.columns - (Vectors - 1) * W;
  // Many rows of A are addressed as two pointers and multiples of three steps: an address a row would not fit the
  // registers. 128x128x128 on Granite Rapids: 4 % less time.
  constexpr bool kHalves = A == Side::kRows && Rows > 6;
  constexpr int kHalf = kHalves ? (Rows + 1) / 2 : Rows;
  int64_t step = t.a_step * static_cast<int64_t>(sizeof(float)), step3 = 3 * step, step5 = 5 * step;
  const char* a = reinterpret_cast<const char*>(t.a);
  const char* a_half = a + kHalf * step;
  vec sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) sum[r][v] = vec{};
  }
  // A long sum leaves the time to fetch where it goes.
  const int64_t paces = kPaced && t.k > 0 ? (t.k + kPace - 1) / kPace : 1;
  const int64_t c_rows = paces > 2 ? (Rows + paces - 3) / (paces - 2) : Rows;
  const int64_t asked_rows = (Rows + paces - 1) / paces;
  int64_t asked = 0;
  const int64_t b_rows = kShares ? (t.ahead.rows + paces - 1) / paces : 0;
  Ahead ahead = t.ahead;
  const float* c_row = t.c;
  int64_t c_left = t.k >= 128 ? Rows : 0;
  if (!kPaced && t.far_c && t.k >= 128) {
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) __builtin_prefetch(t.c + r * ldc + v * W, 1);
    }
  }
  int64_t p = 0;
  do {
    if (kTakes) {
      const int64_t to = asked + asked_rows < Rows ? asked + asked_rows : Rows;
      for (; asked < to; ++asked) {
        for (int i = 0; i < t.asked.matrices; ++i) {
          // To the L2 cache: rows often lie in one set of the first.
          for (int v = 0; v < Vectors; ++v) __builtin_prefetch(t.asked.from[i] + asked * t.asked.step + v * W, 0, 2);
        }
      }
    }
    if (kShares && c_left > 0) {
      const int64_t rows = c_rows < c_left ? c_rows : c_left;
      for (int64_t r = 0; r < rows; ++r, c_row += ldc) {
        for (int v = 0; v < Vectors; ++v) __builtin_prefetch(c_row + v * W, 1);
      }
      c_left -= rows;
    }
    if (kShares && ahead.rows > 0) {
      const int64_t rows = b_rows < ahead.rows ? b_rows : ahead.rows;
      for (int64_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) {
          __builtin_prefetch(ahead.from + kPacesAhead * b_rows * ahead.from_step + v * W);
          store(ahead.to + v * W, load(ahead.from + v * W));
        }
        ahead.from += ahead.from_step;
        ahead.to += Vectors * W;
      }
      ahead.rows -= rows;
    }
    const int64_t end = kPaced && p + kPace < t.k ? p + kPace : t.k;
    for (; p < end; ++p) {
      // Else compilers keep an address a row after all.
      if (kHalves) __asm__("" : "+r"(step), "+r"(step3), "+r"(step5));
      vec bv[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        bv[v] = kMasks && v == Vectors - 1 ? load_n(b + v * W, tail) : load(b + v * W);
      }
      if (Also == kCopy) {
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) store(copy + v * W, bv[v]);
        copy += Vectors * W;
      }
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const int q = r < kHalf ? r : r - kHalf;
        const int64_t offset = q % 3 == 0 ? q / 3 * step3 : q == 5 ? step5 : q * step;
        const char* const row = A == Side::kPanel ? a + r * sizeof(float) : (r < kHalf ? a : a_half) + offset;
        const vec av = broadcast_bits(reinterpret_cast<const float*>(row));
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sum[r][v] = Pairs ? add_pairs(av, bv[v], sum[r][v]) : av * bv[v] + sum[r][v];
      }
      for (int v = 0; v < Vectors; ++v) __builtin_prefetch(next + v * W);
      a += A == Side::kPanel ? step : static_cast<int64_t>(sizeof(float));
      a_half += sizeof(float);
      b += b_step;
      next += next_step;
    }
  } while (kPaced && p < t.k);
  if (t.add) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const float* const c = t.c + r * ldc;
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) {
        sum[r][v] = sum[r][v] + (v == Vectors - 1 ? load_n(c + v * W, tail) : load(c + v * W));
      }
    }
  }
  if (t.bias != nullptr) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      const vec bias = v == Vectors - 1 ? load_n(t.bias + v * W, tail) : load(t.bias + v * W);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) sum[r][v] = sum[r][v] + bias;
    }
  }
  if (t.relu) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) sum[r][v] = at_least(sum[r][v], vec{});
    }
  }
  if (tail == W) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) store(t.c + r * ldc + v * W, sum[r][v]);
    }
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v + 1 < Vectors; ++v) store(t.c + r * ldc + v * W, sum[r][v]);
    store_n(t.c + r * ldc + (Vectors - 1) * W, sum[r][Vectors - 1], tail);
  }
}

using TileFunction = void (*)(const GemmTile&);

template <int Vectors, Side A, Beside Also, bool Pairs>
static TileFunction tile_of(int64_t rows) {
  switch (rows) {
    case 1: return tile<1, Vectors, A, Also, Pairs>;
    case 2: return tile<2, Vectors, A, Also, Pairs>;
    case 3: return tile<3, Vectors, A, Also, Pairs>;
    case 4: return tile<4, Vectors, A, Also, Pairs>;
#if defined(__AVX2__) || defined(__ARM_NEON)
    case 5: return tile<5, Vectors, A, Also, Pairs>;
    case 6: return tile<6, Vectors, A, Also, Pairs>;
#endif
#if defined(__AVX512F__) || defined(__ARM_NEON)
    case 7: return tile<7, Vectors, A, Also, Pairs>;
    case 8: return tile<8, Vectors, A, Also, Pairs>;
    case 9: return tile<9, Vectors, A, Also, Pairs>;
    case 10: return tile<10, Vectors, A, Also, Pairs>;
    case 11: return tile<11, Vectors, A, Also, Pairs>;
    case 12: return tile<12, Vectors, A, Also, Pairs>;
#endif
#if defined(__AVX512F__)
    case 13: return tile<13, Vectors, A, Also, Pairs>;
    case 14: return tile<14, Vectors, A, Also, Pairs>;
#endif
    default: return nullptr;
  }
}

template <Side A, Beside Also, bool Pairs>
static TileFunction tile_of(int64_t rows, int64_t vectors) {
  return vectors == 1 ? tile_of<1, A, Also, Pairs>(rows) : tile_of<2, A, Also, Pairs>(rows);
}

}  // namespace CREMA_ISA
}  // namespace crema
