// fp8_linear.cu: dense layers of fp8 (fp8.cuh) by tensor cores, in the tiles and strips of byte_tiles.cuh:
// y = x w (x_scale w_scale) + bias, w_scale being each column's own. Sums are float32; which kind it is changes their order.
//   quantize_fp8: (x, u8* y, i64 n, float scale): x / scale; grid: any, about n / 1024 blocks (four elements a thread)
//   pack_fp8: (w [k, n], scales [n], int* packed, i64 n, i64 k): rows of k (rounded up to 4), one for each column (n rounded up to 16), as
//     cuBLASLt takes them, too; then the scales; grid: any, a thread a word
//   fp8_linear_KIND: (u8* x, int* packed, bias or null, y, float x_scale, i64 m, int n, int k, int relu); kinds as in int8_linear.cu
//   fp8_scale: (float* y [m, n], int* packed, bias or null, float x_scale, i64 m, int n, int k, int relu): in place, sums of cuBLASLt's
//     become the layer's result; grid: any, about m n / 1024 blocks. Limit: y is read and written
// 256 threads where nothing speaks for another number. Limit: 2 m n k operations over the card's rate of fp8 products where mma.sync has it
// (8.9, 12.x), else of float16 products; for few rows, reading the weights.
#include "byte_tiles.cuh"

CREMA_KERNEL(quantize_fp8, kThreads, const float* x, u8* y, i64 n, float scale) {
  const bool whole = is_aligned(x, 16);
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    const float4 v = load4(x + i, n - i, whole, 0.0f);
    const u32 word = word_of_bytes(to_fp8(__fdiv_rn(v.x, scale)), to_fp8(__fdiv_rn(v.y, scale)), to_fp8(__fdiv_rn(v.z, scale)),
                                   to_fp8(__fdiv_rn(v.w, scale)));
    store_bytes(y + i, word, n - i);
  }
}

CREMA_KERNEL(pack_fp8, kThreads, const float* w, const float* scales, int* packed, i64 n, i64 k) {
  const i64 columns = packed_columns(n), steps = packed_steps(k);
  float* const to = reinterpret_cast<float*>(packed + steps * columns);
  for (i64 i = global_thread(); i < (steps + 1) * columns; i += global_threads()) {
    const i64 j = i % columns, step = i / columns;
    if (step == steps) {
      to[j] = j < n ? scales[j] : 0.0f;
      continue;
    }
    u32 word = 0;
    for (i64 b = 0; b < 4; ++b) {
      const i64 p = 4 * step + b;
      if (p < k && j < n) word |= to_fp8(__fdiv_rn(w[p * n + j], scales[j])) << (8 * b);
    }
    packed[j * steps + step] = static_cast<int>(word);
  }
}

struct Fp8Sums {
  const float* scale;  // packed
  const float* bias;   // or null
  float* y;
  i64 n;
  float x_scale;
  int relu;

  using Sum = float;
  struct Columns {
    float scale[8], bias[8];
  };
  CREMA_DEVICE_METHOD Columns columns(i64 column) const {
    Columns c;
    load_eight(scale + column, c.scale);
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) c.bias[e] = bias != nullptr && column + e < n ? bias[column + e] : 0.0f;
    return c;
  }
  CREMA_DEVICE_METHOD float number(float sum, float of_column, float b) const {
    const float v = fmaf(sum, __fmul_rn(x_scale, of_column), b);
    return relu != 0 ? at_least(v, 0.0f) : v;
  }
  CREMA_DEVICE_METHOD void put(i64 r, i64 column, const Columns& c, const float (&sums)[8]) const {
    float v[8];
    CREMA_UNROLL
    for (int e = 0; e < 8; ++e) v[e] = number(__fmul_rn(sums[e], kFp8Unit), c.scale[e], c.bias[e]);
    store_eight(y + r * n + column, v, n - column);
  }
  CREMA_DEVICE_METHOD void put(i64 r, i64 column, float sum) const {
    y[r * n + column] = number(__fmul_rn(sum, kFp8Unit), scale[column], bias != nullptr ? bias[column] : 0.0f);
  }
};

CREMA_DEVICE const float* fp8_scales(const int* packed, i64 n, i64 k) {
  return reinterpret_cast<const float*>(packed + packed_steps(k) * packed_columns(n));
}

CREMA_KERNEL(fp8_scale, kThreads, float* y, const int* packed, const float* bias, float x_scale, i64 m, int n, int k, int relu) {
  const Fp8Sums sums = {fp8_scales(packed, n, k), bias, y, n, x_scale, relu};
  const i64 count = m * n;
  const bool whole = n % 4 == 0 && is_aligned(y, 16);  // four of a row
  for (i64 i = 4 * global_thread(); i < count; i += 4 * global_threads()) {
    const float4 sum = load4(y + i, count - i, whole, 0.0f);
    float v[4] = {sum.x, sum.y, sum.z, sum.w};
    int column = static_cast<int>(i % n);
    CREMA_UNROLL
    for (int e = 0; e < 4; ++e) {
      v[e] = sums.number(v[e], sums.scale[column], bias != nullptr ? bias[column] : 0.0f);
      column = column + 1 == n ? 0 : column + 1;
    }
    store4(y + i, make_float4(v[0], v[1], v[2], v[3]), count - i, whole);
  }
}

#define CREMA_FP8_LINEAR(kind)                                                                                                      \
  CREMA_DECLARE_##kind(fp8_linear_##kind, const u8* x, const int* packed, const float* bias, float* y, float x_scale, i64 m, int n, \
                       int k, int relu) {                                                                                           \
    byte_##kind(DenseRows{x, m, k}, weights_of<RowWeights>(packed, static_cast<int>(packed_steps(k)), n), m, n,                     \
                Fp8Sums{fp8_scales(packed, n, k), bias, y, n, x_scale, relu});                                                      \
  }
CREMA_BYTE_KINDS(CREMA_FP8_LINEAR)
