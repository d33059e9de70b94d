// signed_sums.cuh: what stands around a library's products of signed bytes: bytes less 128 before, and behind the outputs of a layer
// from sums of bytes less 128 times weights: 128 times the sum of a column's weights is added, and the rest is as int8.cuh has it.
#pragma once

#include "byte_tiles.cuh"

CREMA_DEVICE u32 signed_bytes(u32 v) { return v ^ 0x80808080u; }
CREMA_DEVICE uint4 signed_bytes(uint4 v) { return make_uint4(signed_bytes(v.x), signed_bytes(v.y), signed_bytes(v.z), signed_bytes(v.w)); }

// Eight at a time of sums [m, n] of k, whole numbers in ints or in floats: n is a multiple of 8, `of` aligned to 16 bytes.
template <typename Sum, typename Sums>
CREMA_DEVICE void of_signed_sums(const Sum* of, const int* packed, i64 m, int n, i64 k, const Sums& sums) {
  const int* const totals = packed + (packed_steps(k) + 2) * packed_columns(n);
  const i64 eights = n / 8, count = m * eights;
  for (i64 i = global_thread(); i < count; i += global_threads()) {
    const i64 r = i / eights, column = (i - r * eights) * 8;
    Sum whole[8];
    int v[8], total[8];
    load_eight(of + r * n + column, whole);
    load_eight(totals + column, total);
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) {
      v[e] = static_cast<int>(static_cast<u32>(static_cast<int>(whole[e])) + 128u * static_cast<u32>(total[e]));
    }
    sums.put(r, column, sums.columns(column), v);
  }
}
