// amx.h: products in Intel's tile registers (AMX): eight tiles of 16 rows of 64 bytes. A step of k is 64 bytes of a row
// of A, and 16 rows of B of 4 bytes of each column: 64 bytes, or 32 numbers of bfloat16.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

constexpr int64_t kAmxBlockRows = 32;  // of a block of sums, two tiles high

#if defined(__AMX_TILE__)
constexpr int64_t kAmxRows = 16;   // of a tile
constexpr int64_t kAmxBytes = 64;  // of a row
constexpr int64_t kAmxHalf = kAmxRows * 2 * kAmxBytes;  // bytes of the upper half of a block of sums
constexpr int64_t kAmxSums = 2 * kAmxHalf;

// The thread's tiles for blocks of `rows` rows, 1 to 32: 0 to 3 hold sums, two beside two; 4 and 5 rows of A, one below
// the other; 6 and 7 columns of B, side by side. Of 16 rows at most 0 and 1 hold the sums of even steps, 2 and 3 those of
// odd ones, so that there are four sums to hide the latency of a product. Threads must release what they configured:
// Linux keeps 8 KB for each that did not.
// Steps have `depth` lanes of 4 bytes, 16 but where all of k is one shorter step.
CREMA_INLINE void amx_configure(int64_t rows, int64_t depth = kAmxRows) {
  struct alignas(64) Shape {
    uint8_t palette = 1, first_row = 0, reserved[14] = {};
    uint16_t bytes[16] = {};
    uint8_t rows[16] = {};
  } shape;
  const bool tall = rows > kAmxRows;
  const uint8_t upper = static_cast<uint8_t>(tall ? kAmxRows : rows);
  const uint8_t lower = static_cast<uint8_t>(tall ? rows - kAmxRows : rows);
  const uint8_t steps = static_cast<uint8_t>(depth);
  const uint8_t of_tile[8] = {upper, upper, lower, lower, upper, lower, steps, steps};
  for (int t = 0; t < 8; ++t) {
    shape.rows[t] = of_tile[t];
    shape.bytes[t] = static_cast<uint16_t>(t == 4 || t == 5 ? 4 * depth : kAmxBytes);
  }
  asm volatile("" ::"r"(&shape) : "memory");  // GCC 12 takes the instruction to read 8 bytes
  _tile_loadconfig(&shape);
}
CREMA_INLINE void amx_release() { _tile_release(); }

enum class AmxType { kInt8, kBf16 };

// The numbers of tiles are letters of an instruction: GCC's macros take no others.
#define CREMA_AMX_PRODUCT(type, sum, a, b)   \
  do {                                       \
    if constexpr (type == AmxType::kInt8) {  \
      _tile_dpbusd(sum, a, b);               \
    } else {                                 \
      _tile_dpbf16ps(sum, a, b);             \
    }                                        \
  } while (false)

// What a block reads.
struct AmxBlock {
  const char* a = nullptr;  // rows a_step bytes apart
  int64_t a_step = 0;
  const char* b = nullptr;  // rows of 4 bytes of 32 columns, or of 16, b_step bytes apart
  int64_t b_step = 0;
  int64_t steps = 0;  // whole ones
  // One more step, of what is left of k, with zeros before or behind it; null: nothing is.
  const char* a_rest = nullptr;  // rows kAmxBytes apart
  const char* b_rest = nullptr;  // as b
};

// sums [rows, 32]: A times B, of as many rows as the tiles are configured for; Wide: more than 16 columns, else the
// others are left as they are. Tall: more than 16 rows; else what stands kAmxHalf bytes behind is to be added to each sum.
// beside() is called after each step, while the tiles are busy with it: there is time for about 64 instructions. What is
// loaded of B is said to be read once, which leaves A's rows in the L1 cache (of 32 KB each: 23 ns a step, else 31, on
// Granite Rapids).
// (Stores before are done before tiles are loaded: GCC 12's tile loads do not say that they read memory.)
template <AmxType Type, bool Tall, bool Wide, typename Beside>
CREMA_INLINE void amx_block(const AmxBlock& t, char* sums, const Beside& beside) {
  asm volatile("" ::: "memory");
  constexpr int64_t kLine = 2 * kAmxBytes;
  const char *a = t.a, *b = t.b;
  const int64_t a_step = t.a_step, b_step = t.b_step, b_next = kAmxRows * b_step;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if constexpr (Tall) {
    const auto step = [&](const char* upper, int64_t a_step, const char* b) CREMA_LAMBDA {
      _tile_stream_loadd(6, b, b_step);
      _tile_loadd(4, upper, a_step);
      if constexpr (Wide) _tile_stream_loadd(7, b + kAmxBytes, b_step);
      _tile_loadd(5, upper + kAmxRows * a_step, a_step);
      CREMA_AMX_PRODUCT(Type, 0, 4, 6);
      if constexpr (Wide) CREMA_AMX_PRODUCT(Type, 1, 4, 7);
      CREMA_AMX_PRODUCT(Type, 2, 5, 6);
      if constexpr (Wide) CREMA_AMX_PRODUCT(Type, 3, 5, 7);
      beside();
    };
    for (int64_t p = 0; p < t.steps; ++p, a += kAmxBytes, b += b_next) step(a, a_step, b);
    if (t.a_rest != nullptr) step(t.a_rest, kAmxBytes, t.b_rest);
  } else {
    const auto even = [&](const char* a, int64_t a_step, const char* b) CREMA_LAMBDA {
      _tile_stream_loadd(6, b, b_step);
      _tile_loadd(4, a, a_step);
      if constexpr (Wide) _tile_stream_loadd(7, b + kAmxBytes, b_step);
      CREMA_AMX_PRODUCT(Type, 0, 4, 6);
      if constexpr (Wide) CREMA_AMX_PRODUCT(Type, 1, 4, 7);
      beside();
    };
    int64_t p = 0;
    for (; p + 2 <= t.steps; p += 2, a += 2 * kAmxBytes, b += 2 * b_next) {
      even(a, a_step, b);
      _tile_stream_loadd(6, b + b_next, b_step);
      _tile_loadd(5, a + kAmxBytes, a_step);
      if constexpr (Wide) _tile_stream_loadd(7, b + b_next + kAmxBytes, b_step);
      CREMA_AMX_PRODUCT(Type, 2, 5, 6);
      if constexpr (Wide) CREMA_AMX_PRODUCT(Type, 3, 5, 7);
      beside();
    }
    if (p < t.steps) even(a, a_step, b);
    if (t.a_rest != nullptr) even(t.a_rest, kAmxBytes, t.b_rest);
  }
  _tile_stored(0, sums, kLine);
  _tile_stored(2, sums + kAmxHalf, kLine);
  if constexpr (Wide) {
    _tile_stored(1, sums + kAmxBytes, kLine);
    _tile_stored(3, sums + kAmxHalf + kAmxBytes, kLine);
  }
  asm volatile("" ::: "memory");
}

// `rounds` rounds of four products in tiles that do nothing else: for the probes of limits.
template <AmxType Type>
CREMA_INLINE void amx_rounds(const float* seeds, int64_t rounds, float* out) {
  alignas(64) float data[kAmxRows * 16];
  for (int64_t i = 0; i < kAmxRows * 16; ++i) data[i] = seeds[i % 16];
  asm volatile("" ::: "memory");
  amx_configure(2 * kAmxRows);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, data, kAmxBytes);
  _tile_loadd(5, data, kAmxBytes);
  _tile_loadd(6, data, kAmxBytes);
  _tile_loadd(7, data, kAmxBytes);
  for (int64_t r = 0; r < rounds; ++r) {
    CREMA_AMX_PRODUCT(Type, 0, 4, 6);
    CREMA_AMX_PRODUCT(Type, 1, 4, 7);
    CREMA_AMX_PRODUCT(Type, 2, 5, 6);
    CREMA_AMX_PRODUCT(Type, 3, 5, 7);
  }
  _tile_stored(0, data, kAmxBytes);
  amx_release();
  asm volatile("" ::: "memory");
  store(out, load(data));
}

// Operations of a round of amx_rounds, where a step has `depth` numbers.
constexpr int64_t amx_operations(int64_t depth) { return 4 * 2 * kAmxRows * 16 * depth; }
#endif

}  // namespace CREMA_ISA
}  // namespace crema
