// int8.h: products of unsigned and signed bytes, summed in int32: y = (x - zero point) w + bias, of quantized layers.
// Compiled per ISA. Sums are exact, and every path turns them into numbers by the same operations in the same order, so
// that all instruction sets and thread counts give the same bits:
//   total = sum of x w + offset,  offset = bias - zero point of x times the sum of w's column   (int32, wraps around)
//   v = float(total) * scale                                                                    (one rounding each)
//   to float32: v, or max(v, 0);   to uint8: half to even of v between the bounds, plus the zero point of y
// Where each row of x has a scale and a zero point of its own:
//   total = sum of x w - zero point of the row * sum of w's column
//   v = float(total) * (scale of the row * scale) + bias                                 (the last two with one rounding)
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

// Multiply-adds of one lane of a vector: four steps of k.
constexpr int64_t kGroup = 4;

inline int64_t int8_steps(int64_t k) { return (k + kGroup - 1) / kGroup; }
inline int64_t int8_columns(int64_t n) { return (n + 15) / 16 * 16; }  // of the widest vector
// Packed weights: int8_steps(k) rows of lanes of four weights, one of offsets, one of scales.
inline int64_t int8_packed_rows(int64_t k) { return int8_steps(k) + 2; }

struct Int8Product {
  int64_t m = 0, n = 0, k = 0;
  const uint8_t* x = nullptr;  // [m, k]
  int64_t ldx = 0;
  const int32_t* weights = nullptr;  // as pack_int8 leaves them, 64-byte aligned
  const int32_t* offset = nullptr;   // [n]; those of kSigned already see x as signed; of rows: sums of w's columns
  const float* scale = nullptr;      // [n]
  const float* row_scale = nullptr;  // [m], or null: x has one scale, which the others include
  const uint8_t* row_zero = nullptr;  // [m], of rows
  const float* bias = nullptr;        // [n] or null, of rows
  float* y = nullptr;                // [m, n], or null:
  uint8_t* q = nullptr;              // the same, quantized
  int64_t ldy = 0;
  int32_t zero_point = 0;  // of q
  bool relu = false;
};

int64_t int8_scratch(int64_t m, int64_t n, int64_t k, int32_t threads);
void int8_product(const Int8Product& g, char* scratch, int32_t threads);

// w [k, n], row-major, in the order in which the product reads it; columns [n] gets the sum of each column.
void pack_int8(const int8_t* w, int64_t n, int64_t k, int32_t* packed, int32_t* columns);

// What is subtracted from x before it is multiplied, by instruction sets that only multiply signed bytes.
#if defined(__ARM_NEON)
constexpr int32_t kSigned = 128;
#else
constexpr int32_t kSigned = 0;
#endif

}  // namespace CREMA_ISA
}  // namespace crema
