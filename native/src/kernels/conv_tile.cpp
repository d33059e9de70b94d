// conv_tile.cpp: the register tile of convolution: up to 12 rows x up to 4 vectors of accumulators. Each
// step loads the vectors of B once and broadcasts one float a row; rows may lie anywhere in memory.
#include "../conv.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// Accumulators + vectors of B + a broadcast fit the register file; the addresses of the rows fit the
// general registers.
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kMostVectors = 4;
constexpr int kRows[] = {0, 12, 12, 9, 6};
#else
constexpr int kMostVectors = 2;
constexpr int kRows[] = {0, 12, 6};
#endif

template <int R, int V, bool Strided>
void run(const Tile& t) {
  const float* a[R];
  vec acc[R][V];
  const int64_t tail = t.columns - (V - 1) * W;
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) a[r] = t.a + t.a_offset[r];
  if (t.accumulate) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const float* const c = t.c + t.c_offset[r];
#pragma GCC unroll 4
      for (int v = 0; v + 1 < V; ++v) acc[r][v] = load(c + v * W);
      acc[r][V - 1] = tail == W ? load(c + (V - 1) * W) : load_n(c + (V - 1) * W, tail);
    }
  } else {
    vec start[V] = {};
    if (t.bias != nullptr) {
#pragma GCC unroll 4
      for (int v = 0; v + 1 < V; ++v) start[v] = load(t.bias + v * W);
      start[V - 1] = tail == W ? load(t.bias + (V - 1) * W) : load_n(t.bias + (V - 1) * W, tail);
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = start[v];
    }
  }
  const float* b = t.b;
  for (int64_t s = 0; s < t.segment_count; ++s) {
    int64_t k = t.segments[s].offset;
    for (int64_t left = t.segments[s].length; left > 0; --left) {
      vec bv[V];
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) bv[v] = load(b + v * W);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const vec x = broadcast(a[r][k]);
#pragma GCC unroll 4
        for (int v = 0; v < V; ++v) acc[r][v] += x * bv[v];
      }
      b += V * W;
      k += Strided ? t.step : 1;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    float* const c = t.c + t.c_offset[r];
    if (t.relu) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) acc[r][v] = at_least(acc[r][v], vec{});
    }
#pragma GCC unroll 4
    for (int v = 0; v + 1 < V; ++v) store(c + v * W, acc[r][v]);
    if (tail == W) {
      store(c + (V - 1) * W, acc[r][V - 1]);
    } else {
      store_n(c + (V - 1) * W, acc[r][V - 1], tail);
    }
  }
}

template <int V, bool Strided>
CREMA_INLINE void dispatch(const Tile& t, int64_t rows) {
  switch (rows) {
#define CREMA_TILE(R)                                    \
  case R:                                                \
    if constexpr (R <= kRows[V]) run<R, V, Strided>(t); \
    break;
    CREMA_TILE(1)
    CREMA_TILE(2)
    CREMA_TILE(3)
    CREMA_TILE(4)
    CREMA_TILE(5)
    CREMA_TILE(6)
    CREMA_TILE(7)
    CREMA_TILE(8)
    CREMA_TILE(9)
    CREMA_TILE(10)
    CREMA_TILE(11)
    CREMA_TILE(12)
#undef CREMA_TILE
    default:
      break;
  }
}

// Register blocks as equal as can be: a block of few rows leaves the multipliers waiting.
template <int V, bool Strided>
void all(Tile t, int64_t rows) {
  for (int64_t blocks = (rows + kRows[V] - 1) / kRows[V]; blocks > 0; --blocks) {
    const int64_t r = (rows + blocks - 1) / blocks;
    dispatch<V, Strided>(t, r);
    t.a_offset += r;
    t.c_offset += r;
    rows -= r;
  }
}

}  // namespace

Panels::Panels(int64_t n)
    : columns(n), vectors((n + W - 1) / W), count((vectors + kMostVectors - 1) / kMostVectors) {}

void tiles(const Tile& t, int64_t rows, int64_t vectors) {
  const bool strided = t.step != 1;
  switch (vectors) {
    case 1:
      return strided ? all<1, true>(t, rows) : all<1, false>(t, rows);
    case 2:
      return strided ? all<2, true>(t, rows) : all<2, false>(t, rows);
#if defined(__AVX512F__) || defined(__ARM_NEON)
    case 3:
      return strided ? all<3, true>(t, rows) : all<3, false>(t, rows);
    case 4:
      return strided ? all<4, true>(t, rows) : all<4, false>(t, rows);
#endif
    default:
      return;
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
