// int8.cuh: products of unsigned and signed bytes, as native/src/int8.h defines them. Sums are exact, and are turned into numbers by
// the same operations in the same order, so that results are the CPU's to the bit.
//
// Packed weights, in as many words as on the CPU: for every column (n rounded up to 16) and every step of four of a run of k a word of
// four signed bytes, a column's beside each other, as cuBLASLt takes them, too; then an int32 offset a column, a float32 scale a column,
// and the int32 sum of each column's weights.
#pragma once

#include "common.cuh"

CREMA_DEVICE i64 packed_steps(i64 k) { return (k + 3) / 4; }
CREMA_DEVICE i64 packed_columns(i64 n) { return (n + 15) / 16 * 16; }

// sum + x0 w0 + x1 w1 + x2 w2 + x3 w3, x unsigned bytes, w signed ones.
CREMA_DEVICE int dot4(u32 x, int w, int sum) {
#if defined(CREMA_EMULATED)
  for (int i = 0; i < 4; ++i) {
    const int product = static_cast<int>(x >> (8 * i) & 255u) * static_cast<s8>(static_cast<u32>(w) >> (8 * i) & 255u);
    sum = static_cast<int>(static_cast<u32>(sum) + static_cast<u32>(product));
  }
  return sum;
#else
  int r;
  asm("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(x), "r"(w), "r"(sum));
  return r;
#endif
}

// The next four bytes of n; those that are not there are 0.
CREMA_DEVICE u32 four_bytes(const u8* p, i64 n) {
  if (n >= 4 && is_aligned(p, 4)) return *reinterpret_cast<const u32*>(p);
  u32 v = 0;
  for (int i = 0; i < 4 && i < n; ++i) v |= static_cast<u32>(p[i]) << (8 * i);
  return v;
}

// The first n of the four bytes of a word.
CREMA_DEVICE void store_bytes(u8* p, u32 word, i64 n) {
  if (n >= 4 && is_aligned(p, 4)) {
    *reinterpret_cast<u32*>(p) = word;
    return;
  }
  for (int i = 0; i < 4 && i < n; ++i) p[i] = static_cast<u8>(word >> (8 * i));
}
CREMA_DEVICE u32 word_of_bytes(u32 a, u32 b, u32 c, u32 d) { return a | b << 8 | c << 16 | d << 24; }

// Half to even of v between the bounds; NaN becomes the lower one.
CREMA_DEVICE int to_nearest(float v, float low, float high) {
  v = v > low ? v : low;
  v = v < high ? v : high;
  return static_cast<int>(rintf(v));
}

// Where a number goes: float32, or a byte with its zero point.
struct Target {
  float* y;  // or null:
  u8* q;
  i64 zero_point, relu;
};
CREMA_DEVICE float float_of(const Target& t, float v) { return t.relu != 0 ? at_least(v, 0.0f) : v; }
CREMA_DEVICE u32 byte_of(const Target& t, float v) {
  const float zero = static_cast<float>(t.zero_point);
  return static_cast<u32>(to_nearest(v, t.relu != 0 ? 0.0f : -zero, 255.0f - zero) + static_cast<int>(t.zero_point));
}
CREMA_DEVICE void put_number(const Target& t, i64 i, float v) {
  if (t.y != nullptr) {
    t.y[i] = float_of(t, v);
  } else {
    t.q[i] = static_cast<u8>(byte_of(t, v));
  }
}

// What is packed of eight columns, from a multiple of eight on: there is some for 16 columns at a time.
CREMA_DEVICE void load_eight(const float* p, float (&v)[8]) {
  const float4 a = load4(p), b = load4(p + 4);
  v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}
CREMA_DEVICE void load_eight(const int* p, int (&v)[8]) {
  const int4 a = *reinterpret_cast<const int4*>(p), b = *reinterpret_cast<const int4*>(p + 4);
  v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}

// Eight floats, of which n are there.
CREMA_DEVICE void store_eight(float* y, const float (&v)[8], i64 n) {
  const bool whole = n >= 8 && is_aligned(y, 16);
  store4(y, make_float4(v[0], v[1], v[2], v[3]), n, whole);
  store4(y + 4, make_float4(v[4], v[5], v[6], v[7]), n - 4, whole);
}
// Eight numbers next to each other, of which n are there.
CREMA_DEVICE void put_eight(const Target& t, i64 i, const float (&v)[8], i64 n) {
  if (t.y != nullptr) {
    float f[8];
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) f[e] = float_of(t, v[e]);
    store_eight(t.y + i, f, n);
    return;
  }
  u32 q[8];
  CREMA_UNROLL
  for (int e = 0; e < 8; ++e) q[e] = byte_of(t, v[e]);
  u8* const to = t.q + i;
  if (n >= 8 && is_aligned(to, 8)) {
    *reinterpret_cast<uint2*>(to) = make_uint2(word_of_bytes(q[0], q[1], q[2], q[3]), word_of_bytes(q[4], q[5], q[6], q[7]));
    return;
  }
  CREMA_UNROLL
  for (int e = 0; e < 8; ++e) {
    if (e < n) to[e] = static_cast<u8>(q[e]);
  }
}

// What the sum of a static layer's output stands for; `offset` and `scale` are the packed ones of its column.
CREMA_DEVICE float number_of_static(int sum, int offset, float scale) {
  return __fmul_rn(static_cast<float>(static_cast<int>(static_cast<u32>(sum) + static_cast<u32>(offset))), scale);
}

// What the sum of a dynamic layer's output stands for; `weights` is the packed sum of its column's weights.
CREMA_DEVICE float number_of_sum(int sum, int row_zero, int weights, float row_scale, float scale, float bias, int relu) {
  sum = static_cast<int>(static_cast<u32>(sum) - static_cast<u32>(row_zero) * static_cast<u32>(weights));
  const float v = fmaf(static_cast<float>(sum), __fmul_rn(row_scale, scale), bias);
  return relu != 0 ? at_least(v, 0.0f) : v;
}
