// int8_amx.h: products of bytes in tiles (amx.h), a block of 32 rows and a panel of weights at a time. What becomes of a
// block's sums is computed beside the next one's products.
#pragma once

#include "amx.h"
#include "int8_tile.h"

namespace crema {
namespace CREMA_ISA {

constexpr int64_t kAmxFaster = 32;  // times as fast as in float32 a product is, about

// Whether a product goes through tiles. They take 0.1 µs to set up, as long as 20,000 to 40,000 multiply-adds of vectors
// take. Of a single row the weights are read as fast without them.
#if defined(__AMX_INT8__)
CREMA_INLINE bool int8_in_tiles(int64_t m, int64_t n, int64_t k) { return m > 1 && m * n * k >= 40000; }

// Columns of weights that stay in the L2 cache while all rows pass.
CREMA_INLINE int64_t int8_near_columns(int64_t k) {
  constexpr int64_t kNear = 1 << 20;  // bytes
  const int64_t panel = kPanel * kGroup * int8_steps(k);
  return (panel < kNear ? kNear / panel : 1) * kPanel;
}

// Blocks of one depth, of the thread that makes them.
class Int8Amx {
 public:
  explicit Int8Amx(int64_t k)
      : k_(k), steps_(int8_steps(k)), whole_(k / kAmxBytes), depth_(steps_ < kAmxRows ? steps_ : kAmxRows) {}
  Int8Amx(const Int8Amx&) = delete;
  Int8Amx& operator=(const Int8Amx&) = delete;
  ~Int8Amx() {
    finish(kAmxBlockRows);
    amx_release();
  }

  // The rows of the next blocks, 32 at most.
  CREMA_INLINED void rows(const uint8_t* x, int64_t ldx, int64_t rows) {
    if (rows != rows_) {
      amx_configure(rows, depth_);
      rows_ = rows;
    }
    x_ = x;
    ldx_ = ldx;
    if (k_ % kAmxBytes != 0) copy_rest();
  }

  // t: the outputs of these rows and a panel of columns, the panel's weights and what belongs to them.
  void block(const Int8Tile& t) {
    AmxBlock b;
    b.a = reinterpret_cast<const char*>(x_);
    b.a_step = ldx_;
    b.b = reinterpret_cast<const char*>(t.weights);
    b.b_step = t.columns > W ? 2 * kAmxBytes : kAmxBytes;
    b.steps = whole_;
    if (k_ % kAmxBytes != 0) {
      b.a_rest = reinterpret_cast<const char*>(rest_);
      b.b_rest = b.b + (steps_ - depth_) * b.b_step;
    }
    char* const sums = sums_[odd_];
    const bool tall = rows_ > kAmxRows;
    if (t.columns > W) {
      tall ? multiply<true, true>(b, sums) : multiply<false, true>(b, sums);
    } else {
      tall ? multiply<true, false>(b, sums) : multiply<false, false>(b, sums);
    }
    finish(kAmxBlockRows);
    last_ = t;
    last_rows_ = rows_;
    const vec scale = vabs(load(t.scale));
    last_small_ = hmax(t.columns > W ? vmax(scale, vabs(load(t.scale + W))) : scale) < 1;
    finished_ = 0;
    odd_ = !odd_;
  }

 private:
  template <bool Tall, bool Wide>
  void multiply(const AmxBlock& b, char* sums) {
    // Rows to finish beside a step, four by four or two by two.
    const int64_t steps = whole_ + (b.a_rest != nullptr ? 1 : 0), unit = last_.columns > W ? 2 : 4;
    const int64_t each = (last_rows_ + unit * steps - 1) / (unit * steps) * unit;
    amx_block<AmxType::kInt8, Tall, Wide>(b, sums, [&]() CREMA_LAMBDA {
      if (finished_ < last_rows_) finish(each);
    });
  }

  // The bytes behind the last whole step, where the weights of a step that ends with the last ones have theirs; zeros
  // before them, for what the whole steps have multiplied.
  void copy_rest() {
    const int64_t from = whole_ * kAmxBytes, zeros = whole_ == 0 ? 0 : kAmxBytes - kGroup * (steps_ - whole_ * kAmxRows);
    const __mmask64 mask = ((uint64_t{1} << (k_ - from)) - 1) << zeros;
    const uint8_t* x = x_ + from - zeros;
    for (int64_t r = 0; r < rows_; ++r, x += ldx_) {
      const vec bytes = (vec)_mm512_maskz_loadu_epi8(mask, x);
      std::memcpy(rest_ + r * kAmxBytes, &bytes, sizeof(bytes));
    }
  }

  // The next n rows of the last block.
  CREMA_INLINED void finish(int64_t n) {  // inlined: a call costs a tenth of a product
    const int64_t end = finished_ + n < last_rows_ ? finished_ + n : last_rows_;
    const bool tall = last_rows_ > kAmxRows;
    if (last_.q == nullptr) {
      tall ? finish_floats<true>(end) : finish_floats<false>(end);
    } else if (last_small_ && last_.columns == kPanel) {
      tall ? finish_bytes<true, 2>(end) : finish_bytes<false, 2>(end);
    } else if (last_small_ && last_.columns == W) {
      tall ? finish_bytes<true, 1>(end) : finish_bytes<false, 1>(end);
    } else {
      tall ? finish_some_bytes<true>(end) : finish_some_bytes<false>(end);
    }
    finished_ = end;
  }

  template <bool Tall>
  static CREMA_INLINED veci sum(const char* sums, int64_t row, int64_t v) {
    const char* const at = sums + row * 2 * kAmxBytes + v * kAmxBytes;
    const veci sum = loadi(reinterpret_cast<const int32_t*>(at));
    return Tall ? sum : sum + loadi(reinterpret_cast<const int32_t*>(at + kAmxHalf));
  }

  template <bool Tall>
  CREMA_INLINED void finish_floats(int64_t end) {
    const Int8Tile& t = last_;
    const vec least = broadcast(t.relu ? 0.0f : -INFINITY);
    for (int64_t v = 0; v * W < t.columns; ++v) {
      const int64_t left = t.columns - v * W;
      const veci columns = loadi(t.offset + v * W);
      const vec scale = load(t.scale + v * W);
      const vec bias = t.bias == nullptr ? vec{} : some(t.bias + v * W, left);
      for (int64_t r = finished_; r < end; ++r) {
        vec value;
        if (t.row_scale == nullptr) {
          value = to_float(sum<Tall>(sums_[!odd_], r, v) + columns) * scale;
        } else {
          const veci total = sum<Tall>(sums_[!odd_], r, v) - t.row_zero[r] * columns;
          value = once_rounded(to_float(total), t.row_scale[r] * scale, bias);
        }
        put(t.y + r * t.ldy + v * W, at_least(value, least), left);
      }
    }
  }

  template <bool Tall>
  CREMA_INLINED void finish_some_bytes(int64_t end) {
    const Int8Tile& t = last_;
    const vec low = broadcast(t.relu ? 0.0f : static_cast<float>(-t.zero_point));
    const vec high = broadcast(static_cast<float>(255 - t.zero_point));
    for (int64_t v = 0; v * W < t.columns; ++v) {
      const veci offset = loadi(t.offset + v * W);
      const vec scale = load(t.scale + v * W);
      for (int64_t r = finished_; r < end; ++r) {
        const vec value = to_float(sum<Tall>(sums_[!odd_], r, v) + offset) * scale;
        put_bytes(t.q + r * t.ldy + v * W, to_nearest(value, low, high) + t.zero_point, t.columns - v * W);
      }
    }
  }

  // Of whole vectors and scales below 1, where no sum becomes too great for an int32: 64 bytes, of two or four rows, at
  // a time.
  template <bool Tall, int Vectors>
  CREMA_INLINED void finish_bytes(int64_t end) {
    typedef uint8_t bytes __attribute__((vector_size(64)));
    constexpr int Rows = 4 / Vectors;
    const Int8Tile& t = last_;
    const uint32_t four = t.relu ? static_cast<uint32_t>(t.zero_point) * 0x1010101u : 0;
    const bytes least = (bytes)_mm512_set1_epi32(static_cast<int32_t>(four));
    const __m512i zero = _mm512_set1_epi32(t.zero_point * 0x10001);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    veci offset[Vectors];
    vec scale[Vectors];
    for (int v = 0; v < Vectors; ++v) {
      offset[v] = loadi(t.offset + v * W);
      scale[v] = load(t.scale + v * W);
    }
    const char* const sums = sums_[!odd_];
    uint8_t* const out = t.q;
    const int64_t ldy = t.ldy;
    for (int64_t r = finished_; r < end; r += Rows) {
      int64_t row[Rows];
      __m512i whole[4];
      for (int i = 0; i < Rows; ++i) {
        row[i] = r + i < end ? r + i : end - 1;
        for (int v = 0; v < Vectors; ++v) {
          whole[i * Vectors + v] = (__m512i)to_nearest(to_float(sum<Tall>(sums, row[i], v) + offset[v]) * scale[v]);
        }
      }
      const __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(whole[0], whole[1]), zero);
      const __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(whole[2], whole[3]), zero);
      bytes q = (bytes)_mm512_permutexvar_epi32(order, _mm512_packus_epi16(first, second));
      q = q > least ? q : least;
      const __m256 half[2] = {_mm512_castps512_ps256((__m512)q), _mm512_extractf32x8_ps((__m512)q, 1)};
      for (int i = 0; i < 2; ++i) {
        if constexpr (Rows == 2) {
          std::memcpy(out + row[i] * ldy, &half[i], sizeof(half[i]));
        } else {
          const __m128 quarter[2] = {_mm256_castps256_ps128(half[i]), _mm256_extractf128_ps(half[i], 1)};
          std::memcpy(out + row[2 * i] * ldy, &quarter[0], sizeof(quarter[0]));
          std::memcpy(out + row[2 * i + 1] * ldy, &quarter[1], sizeof(quarter[1]));
        }
      }
    }
  }

  alignas(64) char sums_[2][kAmxSums];
  alignas(64) uint8_t rest_[kAmxBlockRows * kAmxBytes];
  const int64_t k_, steps_, whole_, depth_;
  const uint8_t* x_ = nullptr;
  int64_t ldx_ = 0, rows_ = 0;
  bool odd_ = false;  // which sums the next block writes
  Int8Tile last_;     // the block before, `finished_` rows of which are done
  int64_t last_rows_ = 0, finished_ = 0;
  bool last_small_ = false;
};
#else
CREMA_INLINE bool int8_in_tiles(int64_t, int64_t, int64_t) { return false; }
#endif

}  // namespace CREMA_ISA
}  // namespace crema
