// fp8.h: numbers of E4M3 (Micikevicius et al. 2022), as ONNX's FLOAT8E4M3FN: a sign, four bits of an exponent with bias
// 7, three of a fraction. From 2^-9 to 448; no infinity; 0x7f and 0xff are NaN. Compiled per ISA.
#pragma once

#include "int8_dot.h"

namespace crema {
namespace CREMA_ISA {

// The nearest, half to even; beyond 448 that; NaN is 0x7f.
CREMA_INLINE veci to_fp8(vec x) {
  const vec size = at_most(vabs(x), broadcast(448.0f));
  const veci bits = as_int(size);
  const veci normal = ((bits + 0x7ffff + (bits >> 20 & 1)) >> 20) - (120 << 3);
  const veci small = to_int(vround(size * 512.0f));  // below 2^-6: multiples of 2^-9
  const veci code = (size < 0.015625f ? small : normal) | (as_int(x) >> 24 & 0x80);
  return x == x ? code : broadcasti(0x7f);
}

// The number that the lowest eight bits stand for, the others being 0.
CREMA_INLINE vec of_fp8(veci code) {
  const veci size = code & 0x7f;
  const vec normal = as_float((size << 20) + (120 << 23)), small = to_float(size) * 0x1p-9f;
  const vec number = select(size < 8, small, select(size == 0x7f, broadcast(NAN), normal));
  return as_float(as_int(number) | (code & 0x80) << 24);
}

}  // namespace CREMA_ISA
}  // namespace crema
