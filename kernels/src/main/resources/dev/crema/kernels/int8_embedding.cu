// int8_embedding.cu: rows by id of a table of bytes. For results in float32 a row is its bytes, 128 standing for 0, and its scale in
// the last of its words; for results of bytes its bytes are those of the results.
//   pack_quantized_table: (table, scales, int* packed, i64 rows, i64 units, i64 words, i64 padding, int zero_point, float y_scale):
//     y_scale 0: results are float32; about rows units / 256 blocks
//   quantized_embedding: (indices, int wide, int* packed, Target t, i64 bound, i64 count, i64 units, i64 words, u64* errors, int slot):
//     about count units / 256 blocks
//   256 threads; grid: any.
#include "int8.cuh"

CREMA_KERNEL(pack_quantized_table, kThreads, const float* table, const float* scales, int* packed, i64 rows, i64 units,
             i64 words, i64 padding, int zero_point, float y_scale) {
  const float low = static_cast<float>(-zero_point), high = static_cast<float>(255 - zero_point);
  for (i64 i = global_thread(); i < rows * units; i += global_threads()) {
    const i64 r = i / units, j = i % units;
    float q = rintf(__fdiv_rn(table[i], scales[r]));
    q = is_nan(q) || r == padding ? 0.0f : q < -127.0f ? -127.0f : q > 127.0f ? 127.0f : q;
    u8* const to = reinterpret_cast<u8*>(packed + r * words);
    if (y_scale == 0.0f) {
      to[j] = static_cast<u8>(static_cast<int>(q) + 128);
      if (j == 0) packed[r * words + words - 1] = __float_as_int(scales[r]);
    } else {
      to[j] = static_cast<u8>(to_nearest(__fdiv_rn(__fmul_rn(q, scales[r]), y_scale), low, high) + zero_point);
    }
  }
}

CREMA_KERNEL(quantized_embedding, kThreads, const void* indices, int wide, const int* packed, const Target t, i64 bound,
             i64 count, i64 units, i64 words, u64* errors, int slot) {
  for (i64 i = global_thread(); i < count * units; i += global_threads()) {
    const i64 position = i / units, j = i % units, index = index_at(indices, wide, position);
    if (index < 0 || index >= bound) {
      if (j == 0) report(errors, slot, position, index);
      if (t.y != nullptr) {
        t.y[i] = 0.0f;
      } else {
        t.q[i] = 0;
      }
      continue;
    }
    const int* const row = packed + index * words;
    const u8 byte = reinterpret_cast<const u8*>(row)[j];
    if (t.y != nullptr) {
      t.y[i] = __fmul_rn(static_cast<float>(static_cast<int>(byte) - 128), __int_as_float(row[words - 1]));
    } else {
      t.q[i] = byte;
    }
  }
}
