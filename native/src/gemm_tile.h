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

struct GemmTile {
  const float* a = nullptr;
  int64_t a_step = 0;
  const float* b = nullptr;  // rows of B, b_step apart; without kMaskedLoads readable to the end of the last vector
  int64_t b_step = 0;
  const float* next = nullptr;  // rows of what is read after this tile, next_step apart
  int64_t next_step = 0;
  float* copy = nullptr;  // takes B as it is read, in rows of whole vectors; null: nothing does
  int64_t k = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  int64_t columns = 0;          // of C that are stored
  bool add = false;             // to what C holds
  const float* bias = nullptr;  // for these columns, added after everything else; null: none
  bool relu = false;
};

// Pairs: A and B hold pairs of bfloat16, of two steps of k, and t.k counts pairs.
template <int Rows, int Vectors, Side A, bool Copy, bool Pairs>
static void tile(const GemmTile& t) {
  const float* a = t.a;
  const float* b = t.b;
  const float* next = t.next;
  float* copy = t.copy;
  const int64_t next_step = t.next_step;
  const int64_t a_step = t.a_step, b_step = t.b_step, ldc = t.ldc;
  const int64_t tail = t.columns - (Vectors - 1) * W;
  vec sum[Rows][Vectors];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) sum[r][v] = vec{};
  }
  // A long sum leaves the time to fetch where it goes.
  if (t.k >= 128) {
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) __builtin_prefetch(t.c + r * ldc + v * W, 1);
    }
  }
  for (int64_t p = 0; p < t.k; ++p) {
    vec bv[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      bv[v] = kMaskedLoads && v == Vectors - 1 ? load_n(b + v * W, tail) : load(b + v * W);
    }
    if (Copy) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) store(copy + v * W, bv[v]);
      copy += Vectors * W;
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const vec av = broadcast_bits(A == Side::kPanel ? a + r : a + r * a_step);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = Pairs ? add_pairs(av, bv[v], sum[r][v]) : av * bv[v] + sum[r][v];
    }
    for (int v = 0; v < Vectors; ++v) __builtin_prefetch(next + v * W);
    a += A == Side::kPanel ? a_step : 1;
    b += b_step;
    next += next_step;
  }
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

template <int Vectors, Side A, bool Copy, bool Pairs>
static TileFunction tile_of(int64_t rows) {
  switch (rows) {
    case 1: return tile<1, Vectors, A, Copy, Pairs>;
    case 2: return tile<2, Vectors, A, Copy, Pairs>;
    case 3: return tile<3, Vectors, A, Copy, Pairs>;
    case 4: return tile<4, Vectors, A, Copy, Pairs>;
#if defined(__AVX2__) || defined(__ARM_NEON)
    case 5: return tile<5, Vectors, A, Copy, Pairs>;
    case 6: return tile<6, Vectors, A, Copy, Pairs>;
#endif
#if defined(__AVX512F__) || defined(__ARM_NEON)
    case 7: return tile<7, Vectors, A, Copy, Pairs>;
    case 8: return tile<8, Vectors, A, Copy, Pairs>;
    case 9: return tile<9, Vectors, A, Copy, Pairs>;
    case 10: return tile<10, Vectors, A, Copy, Pairs>;
    case 11: return tile<11, Vectors, A, Copy, Pairs>;
    case 12: return tile<12, Vectors, A, Copy, Pairs>;
#endif
#if defined(__AVX512F__)
    case 13: return tile<13, Vectors, A, Copy, Pairs>;
    case 14: return tile<14, Vectors, A, Copy, Pairs>;
#endif
    default: return nullptr;
  }
}

template <Side A, bool Copy, bool Pairs>
static TileFunction tile_of(int64_t rows, int64_t vectors) {
  return vectors == 1 ? tile_of<1, A, Copy, Pairs>(rows) : tile_of<2, A, Copy, Pairs>(rows);
}

}  // namespace CREMA_ISA
}  // namespace crema
