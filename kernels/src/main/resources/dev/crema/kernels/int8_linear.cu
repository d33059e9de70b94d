// int8_linear.cu: dense layers of bytes by tensor cores: tiles of outputs where there are enough of them, else strips (byte_tiles.cuh). All
// give the CPU's results to the bit.
//   quantized_linear_KIND: (u8* x, int* packed, Target t, i64 m, int n, int k)
//   dynamic_quantized_linear_KIND: (u8* x, row_scale, u8* row_zero, int* packed, bias or null, y, i64 m, int n, int k, int relu)
//   KIND: tiles_128 (256 threads), tiles_64 (128): k a multiple of 16, x aligned to 16 bytes; tiles_any (128): tiles of 64 without that;
//     strips_32, strips_8 (256): 16 rows and 32 or 8 columns. packed is aligned to 16 bytes. Grid: any, about a block a tile or strip.
// Around a product of cuBLASLt's, of signed bytes:
//   int8_signed: (u8* x, u8* s, i64 n): x - 128; grid: any, about n / 4096 blocks (16 bytes a thread)
//   quantized_linear_of_sums: (int* sums [m, n], int* packed, Target t, i64 m, int n, int k),
//   dynamic_quantized_linear_of_sums: (int* sums, row_scale, u8* row_zero, int* packed, bias or null, y, i64 m, int n, int k, int relu): the
//     layer's output of sums of x - 128 times weights; n a multiple of 8, sums aligned to 16 bytes; sums and a y of floats may be the same
//     memory; grid: any, about m n / 2048 blocks (eight outputs a thread). 256 threads.
// Limit: 2 m n k operations over the card's rate of int8 products; for few rows, reading the weights.
#include "signed_sums.cuh"

// Of a layer whose input's scale is each row's own.
struct DynamicSums {
  const float* row_scale;
  const u8* row_zero;
  const int* weights;  // sums of columns
  const float* scale;
  const float* bias;   // or null
  float* y;
  i64 n;
  int relu;

  using Sum = int;
  struct Columns {
    int weights[8];
    float scale[8], bias[8];
  };
  CREMA_DEVICE_METHOD Columns columns(i64 column) const {
    Columns c;
    load_eight(weights + column, c.weights);
    load_eight(scale + column, c.scale);
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) c.bias[e] = bias != nullptr && column + e < n ? bias[column + e] : 0.0f;
    return c;
  }
  CREMA_DEVICE_METHOD void put(i64 r, i64 column, const Columns& c, const int (&sums)[8]) const {
    float v[8];
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) {
      v[e] = number_of_sum(sums[e], row_zero[r], c.weights[e], row_scale[r], c.scale[e], c.bias[e], relu);
    }
    store_eight(y + r * n + column, v, n - column);
  }
  CREMA_DEVICE_METHOD void put(i64 r, i64 column, int sum) const {
    const float b = bias != nullptr ? bias[column] : 0.0f;
    y[r * n + column] = number_of_sum(sum, row_zero[r], weights[column], row_scale[r], scale[column], b, relu);
  }
};

CREMA_DEVICE DynamicSums dynamic_sums(const float* row_scale, const u8* row_zero, const int* packed, const float* bias, float* y, i64 n,
                                      i64 steps, int relu) {
  const int* const weights = packed + steps * packed_columns(n);
  return {row_scale, row_zero, weights, reinterpret_cast<const float*>(weights + packed_columns(n)), bias, y, n, relu};
}

#define CREMA_INT8_LINEAR(kind)                                                                                                     \
  CREMA_DECLARE_##kind(quantized_linear_##kind, const u8* x, const int* packed, const Target t, i64 m, int n, int k) {              \
    const int steps = static_cast<int>(packed_steps(k));                                                                            \
    byte_##kind(DenseRows{x, m, k}, weights_of<RowWeights>(packed, steps, n), m, n, static_sums(t, packed, steps, n));             \
  }                                                                                                                                 \
  CREMA_DECLARE_##kind(dynamic_quantized_linear_##kind, const u8* x, const float* row_scale, const u8* row_zero, const int* packed, \
                       const float* bias, float* y, i64 m, int n, int k, int relu) {                                                \
    const int steps = static_cast<int>(packed_steps(k));                                                                            \
    byte_##kind(DenseRows{x, m, k}, weights_of<RowWeights>(packed, steps, n), m, n,                                                \
                dynamic_sums(row_scale, row_zero, packed, bias, y, n, steps, relu));                                                \
  }
CREMA_BYTE_KINDS(CREMA_INT8_LINEAR)

CREMA_KERNEL(int8_signed, kThreads, const u8* x, u8* s, i64 n) {
  const bool whole = is_aligned(x, 16) && is_aligned(s, 16);
  for (i64 i = 16 * global_thread(); i < n; i += 16 * global_threads()) {
    if (whole && n - i >= 16) {
      *reinterpret_cast<uint4*>(s + i) = signed_bytes(*reinterpret_cast<const uint4*>(x + i));
      continue;
    }
    for (int b = 0; b < 16; ++b) {
      if (i + b < n) s[i + b] = static_cast<u8>(x[i + b] ^ 0x80u);
    }
  }
}

CREMA_KERNEL(quantized_linear_of_sums, kThreads, const int* sums, const int* packed, const Target t, i64 m, int n, int k) {
  of_signed_sums(sums, packed, m, n, k, static_sums(t, packed, packed_steps(k), n));
}

CREMA_KERNEL(dynamic_quantized_linear_of_sums, kThreads, const int* sums, const float* row_scale, const u8* row_zero, const int* packed,
             const float* bias, float* y, i64 m, int n, int k, int relu) {
  of_signed_sums(sums, packed, m, n, k, dynamic_sums(row_scale, row_zero, packed, bias, y, n, packed_steps(k), relu));
}
