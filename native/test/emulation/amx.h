// amx.h: the instructions of AMX that the kernels name, eight tiles of a thread, in plain C++: of avx512.h, which includes
// this. What a processor answers with a fault stops the program.
#pragma once

namespace crema_emulated {

// As they are configured.
struct Tiles {
  bool configured = false;
  uint16_t bytes[8] = {};
  uint8_t rows[8] = {};
  uint8_t data[8][16][64] = {};
};
// One for all files: the linker may take the functions of a class from any of them.
inline __attribute__((noinline)) Tiles& tiles() {
  static thread_local Tiles all;
  return all;
}
CREMA_EMULATED void fault_unless(bool right) {
  if (!right) std::abort();
}
CREMA_EMULATED Tiles& tile(int t) {
  Tiles& all = tiles();
  fault_unless(all.configured && t >= 0 && t < 8 && all.rows[t] > 0 && all.bytes[t] > 0);
  return all;
}
CREMA_EMULATED void tile_release() { tiles() = Tiles{}; }
CREMA_EMULATED void tile_loadconfig(const void* p) {
  const uint8_t* const shape = static_cast<const uint8_t*>(p);  // palette, first row, 14 of 0, 16 x bytes, 16 x rows
  tile_release();
  Tiles& all = tiles();
  fault_unless(shape[0] == 1 && shape[1] == 0);
  for (int i = 2; i < 16; ++i) fault_unless(shape[i] == 0);
  std::memcpy(all.bytes, shape + 16, sizeof(all.bytes));
  std::memcpy(all.rows, shape + 48, sizeof(all.rows));
  for (int i = 32; i < 48; ++i) fault_unless(shape[i] == 0);
  for (int i = 56; i < 64; ++i) fault_unless(shape[i] == 0);
  for (int t = 0; t < 8; ++t) {
    fault_unless(all.rows[t] <= 16 && all.bytes[t] <= 64 && (all.rows[t] == 0) == (all.bytes[t] == 0));
  }
  all.configured = true;
}
CREMA_EMULATED void tile_zero(int t) { std::memset(tile(t).data[t], 0, sizeof(Tiles::data[0])); }
CREMA_EMULATED void tile_loadd(int t, const void* p, int64_t stride) {
  Tiles& all = tile(t);
  tile_zero(t);
  for (int r = 0; r < all.rows[t]; ++r) {
    std::memcpy(all.data[t][r], static_cast<const uint8_t*>(p) + r * stride, all.bytes[t]);
  }
}
CREMA_EMULATED void tile_stored(int t, void* p, int64_t stride) {
  const Tiles& all = tile(t);
  for (int r = 0; r < all.rows[t]; ++r) {
    std::memcpy(static_cast<uint8_t*>(p) + r * stride, all.data[t][r], all.bytes[t]);
  }
}
// sum [rows, columns] += a [rows, k] b [k, columns], lanes of four bytes; f adds a lane of a times one of b to a sum's
// bytes.
template <typename F>
CREMA_EMULATED void tile_product(int sum, int a, int b, const F& f) {
  Tiles& all = tile(sum);
  tile(a);
  tile(b);
  fault_unless(sum != a && sum != b && a != b && all.rows[sum] == all.rows[a] && all.bytes[sum] == all.bytes[b] &&
               all.bytes[a] == 4 * all.rows[b]);
  for (int r = 0; r < all.rows[sum]; ++r) {
    for (int p = 0; p < all.rows[b]; ++p) {
      for (int j = 0; j < all.bytes[sum]; j += 4) f(all.data[sum][r] + j, all.data[a][r] + 4 * p, all.data[b][p] + j);
    }
  }
}
CREMA_EMULATED void tile_dpbusd(int sum, int a, int b) {
  tile_product(sum, a, b, [](uint8_t* s, const uint8_t* x, const uint8_t* y) {
    int32_t value;
    int8_t weights[4];
    std::memcpy(&value, s, 4);
    std::memcpy(weights, y, 4);
    value = dot(value, x, weights);
    std::memcpy(s, &value, 4);
  });
}
// The earlier product of a lane first.
CREMA_EMULATED void tile_dpbf16ps(int sum, int a, int b) {
  tile_product(sum, a, b, [](uint8_t* s, const uint8_t* x, const uint8_t* y) {
    float value;
    uint16_t left[2], right[2];
    std::memcpy(&value, s, 4);
    std::memcpy(left, x, 4);
    std::memcpy(right, y, 4);
    for (int i = 0; i < 2; ++i) value = __builtin_fmaf(of_bf16(left[i]), of_bf16(right[i]), value);
    std::memcpy(s, &value, 4);
  });
}

}  // namespace crema_emulated

// Some of these are macros of the compiler's header where it does not optimise.
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stream_loadd
#undef _tile_stored
#undef _tile_dpbusd
#undef _tile_dpbf16ps
#define _tile_loadconfig crema_emulated::tile_loadconfig
#define _tile_release crema_emulated::tile_release
#define _tile_zero crema_emulated::tile_zero
#define _tile_loadd crema_emulated::tile_loadd
#define _tile_stream_loadd crema_emulated::tile_loadd
#define _tile_stored crema_emulated::tile_stored
#define _tile_dpbusd crema_emulated::tile_dpbusd
#define _tile_dpbf16ps crema_emulated::tile_dpbf16ps

#if CREMA_LEVEL >= 6
#define __AMX_TILE__ 1
#define __AMX_INT8__ 1
#define __AMX_BF16__ 1
#endif
