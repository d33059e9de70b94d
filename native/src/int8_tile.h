// int8_tile.h: a few rows of a product of bytes in registers: the step of the sum, and what becomes of the sums.
#pragma once

#include "int8_dot.h"

namespace crema {
namespace CREMA_ISA {

constexpr int64_t kPanel = 2 * W;                               // columns of a panel of weights
constexpr int64_t kDirectRows = kInt8Rows < 8 ? kInt8Rows : 8;  // most rows of x that are read where they lie

// What a tile reads and writes.
struct Int8Tile {
  const uint8_t* x = nullptr;  // rows ldx apart, or a copy, spread: groups of a step adjacent
  int64_t ldx = 0;
  const int32_t* weights = nullptr;
  const int32_t* offset = nullptr;
  const float* scale = nullptr;
  const float* row_scale = nullptr;
  const uint8_t* row_zero = nullptr;
  const float* bias = nullptr;
  float* y = nullptr;
  uint8_t* q = nullptr;
  int64_t ldy = 0, k = 0, columns = 0;
  int32_t zero_point = 0;
  bool relu = false;
};

// The panel of columns from j on, whose weights have `steps` rows of groups.
CREMA_INLINE void set_panel(Int8Tile& t, const Int8Product& g, int64_t steps, int64_t j) {
  t.columns = g.n - j < kPanel ? g.n - j : kPanel;
  t.weights = g.weights + j * steps;
  t.offset = g.offset + j;
  t.scale = g.scale + j;
  if (g.bias != nullptr) t.bias = g.bias + j;
}

// Adds a group of every row; left_of(r) is that of row r.
template <int Rows, int Vectors, typename LeftOf>
CREMA_INLINE void step(veci (*sum)[Vectors], LeftOf left_of, const int32_t* weights) {
  Right w[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) w[v] = right(weights + v * W);
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
    const Left a = left_of(r);
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) sum[r][v] = dot(sum[r][v], a, w[v]);
  }
}

// Turns the sums into the results, as int8.h says. (It has a copy of the tile, for a byte written might be one of it.)
template <int Rows, int Vectors>
CREMA_INLINE void finish(const Int8Tile t, const veci (&sum)[Rows][Vectors]) {
  const vec low = broadcast(t.relu ? 0.0f : static_cast<float>(-t.zero_point));
  const vec high = broadcast(static_cast<float>(255 - t.zero_point));
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    const int64_t left = t.columns - v * W;
    const veci offset = loadi(t.offset + v * W);
    const vec scale = load(t.scale + v * W);
    const auto value = [&](int r) CREMA_LAMBDA { return to_float(sum[r][v] + offset) * scale; };
    if (t.y != nullptr) {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        put(t.y + r * t.ldy + v * W, t.relu ? at_least(value(r), vec{}) : value(r), left);
      }
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        put_bytes(t.q + r * t.ldy + v * W, to_nearest(value(r), low, high) + t.zero_point, left);
      }
    }
  }
}

// The same where each row has a scale of its own.
template <int Rows, int Vectors>
CREMA_INLINE void finish_rows(const Int8Tile t, const veci (&sum)[Rows][Vectors]) {
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) {
    const int64_t left = t.columns - v * W;
    const veci columns = loadi(t.offset + v * W);
    const vec scale = load(t.scale + v * W);
    const vec bias = t.bias == nullptr ? vec{} : some(t.bias + v * W, left);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const veci total = sum[r][v] - (t.row_zero[r] - kSigned) * columns;
      const vec value = once_rounded(to_float(total), t.row_scale[r] * scale, bias);
      put(t.y + r * t.ldy + v * W, t.relu ? at_least(value, vec{}) : value, left);
    }
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
