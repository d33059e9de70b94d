// bf16_block.h: blocks of sums of a product of bfloat16 in AMX's tiles.
#pragma once

#include "amx.h"
#include "gemm.h"

#if defined(__AMX_BF16__)
namespace crema {
namespace CREMA_ISA {

constexpr int64_t kSteps = 2 * kAmxRows;                   // of k in a tile
constexpr int64_t kTileFloats = kAmxRows * kAmxBytes / 4;  // of memory

CREMA_INLINE int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

// Where the sums of a block go.
struct Target {
  float* c = nullptr;
  int64_t ldc = 0, rows = 0, columns = 0;
  bool accumulate = false;
  const float* bias = nullptr;
  Activation activation = kNone;
};

// Sums on their way to C: a few rows at a time, while tiles multiply.
class Finish {
 public:
  // All of what there was before must be done.
  void start(const Target& t, const float* sums, int64_t step) {
    t_ = t;
    sums_ = sums;
    step_ = step;
    row_ = 0;
  }
  __attribute__((always_inline)) void rows(int64_t n) {
    const int64_t end = least_of(row_ + n, t_.rows);
    for (; row_ < end; ++row_) {
      const float* const from = sums_ + row_ * step_;
      float* const to = t_.c + row_ * t_.ldc;
      for (int64_t j = 0; j < t_.columns; j += W) {
        const int64_t left = t_.columns - j;
        vec y = load(from + j);
        if (t_.bias != nullptr) y += some(t_.bias + j, left);
        put(to + j, t_.activation == kRelu ? at_least(y, vec{}) : y, left);
      }
      if (t_.activation > kRelu) apply_activation(t_.activation, to, t_.columns);
    }
  }
  void all() { rows(t_.rows); }

 private:
  Target t_;
  const float* sums_ = nullptr;
  int64_t step_ = 0, row_ = 0;
};

// Sums begin at what C holds.
CREMA_INLINE void begin(const Target& t, float* sums, int64_t step) {
  for (int64_t r = 0; r < t.rows; ++r) {
    for (int64_t j = 0; j < t.columns; j += W) store(sums + r * step + j, some(t.c + r * t.ldc + j, t.columns - j));
  }
}

struct Block {
  const float* a;          // tiles of the upper rows, one after the other; those of the lower rows a_lower floats behind
  int64_t a_lower;
  const float* b[2];       // panels
  const float* b_rest[2];  // their last steps where they are not whole in b; null: they are
  int64_t b_width;         // columns of a panel
  int64_t steps;
};

// Rows x Columns tiles of sums: two below each other, or up to four beside each other in two panels. They begin at what
// is in `sums` or, if not `add`, at 0, and go to rows of `to`. What `before` has left is done meanwhile.
template <int Rows, int Columns>
CREMA_INLINE void sum_up(const Block& t, bool add, Finish& before, float* sums, float* to, int64_t to_step) {
  static_assert(Rows * Columns <= 4, "there are eight tiles");
  asm volatile("" ::: "memory");
  const auto place = [](float* first, int64_t step, int tile) CREMA_LAMBDA {
    return first + (Rows == 2 ? tile % 2 * kAmxRows * step + tile / 2 * W : tile * W);
  };
  constexpr int kSums = Rows * Columns;
  if (add) {
    constexpr int64_t step = Columns * W;
    _tile_loadd(0, sums, 4 * step);
    if constexpr (kSums > 1) _tile_loadd(1, place(sums, step, 1), 4 * step);
    if constexpr (kSums > 2) _tile_loadd(2, place(sums, step, 2), 4 * step);
    if constexpr (kSums > 2) _tile_loadd(3, place(sums, step, 3), 4 * step);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const char *a = reinterpret_cast<const char*>(t.a);
  const char *b = reinterpret_cast<const char*>(t.b[0]), *far = reinterpret_cast<const char*>(t.b[1]);
  const int64_t a_lower = 4 * t.a_lower, b_step = 4 * t.b_width, b_next = kAmxRows * b_step;
  const auto step = [&]() CREMA_LAMBDA {
    _tile_loadd(6, b, b_step);
    _tile_loadd(4, a, kAmxBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Rows == 2) {
      _tile_loadd(5, a + a_lower, kAmxBytes);
      _tile_dpbf16ps(1, 5, 6);
      if constexpr (Columns == 2) {
        _tile_loadd(7, b + kAmxBytes, b_step);
        _tile_dpbf16ps(2, 4, 7);
        _tile_dpbf16ps(3, 5, 7);
      }
    } else if constexpr (Columns > 1) {
      _tile_loadd(7, b + kAmxBytes, b_step);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (Columns == 4) {
        _tile_loadd(6, far, b_step);
        _tile_dpbf16ps(2, 4, 6);
        _tile_loadd(7, far + kAmxBytes, b_step);
        _tile_dpbf16ps(3, 4, 7);
      }
    }
  };
  const int64_t whole = t.b_rest[0] != nullptr ? t.steps - 1 : t.steps;
  for (int64_t p = 0; p < whole; ++p) {
    step();
    before.rows(4);
    a += 4 * kTileFloats;
    b += b_next;
    far += b_next;
  }
  if (whole < t.steps) {
    b = reinterpret_cast<const char*>(t.b_rest[0]);
    far = reinterpret_cast<const char*>(t.b_rest[1]);
    step();
  }
  before.all();
  _tile_stored(0, to, 4 * to_step);
  if constexpr (kSums > 1) _tile_stored(1, place(to, to_step, 1), 4 * to_step);
  if constexpr (kSums > 2) _tile_stored(2, place(to, to_step, 2), 4 * to_step);
  if constexpr (kSums > 2) _tile_stored(3, place(to, to_step, 3), 4 * to_step);
  asm volatile("" ::: "memory");
}

// t's sums, which `before` then has to finish.
template <int Rows, int Columns>
static void block(const Block& b, const Target& t, Finish& before, float* sums) {
  if (t.accumulate) {
    before.all();
    begin(t, sums, Columns * W);
  }
  const bool as_is = t.bias == nullptr && t.activation == kNone;
  if (as_is && t.rows == Rows * kAmxRows && t.columns == Columns * W) {
    return sum_up<Rows, Columns>(b, t.accumulate, before, sums, t.c, t.ldc);
  }
  sum_up<Rows, Columns>(b, t.accumulate, before, sums, sums, Columns * W);
  before.start(t, sums, Columns * W);
}

}  // namespace CREMA_ISA
}  // namespace crema
#endif
