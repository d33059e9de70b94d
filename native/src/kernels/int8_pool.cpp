// int8_pool.cpp: pooling of unsigned bytes, channels last. Maxima are those of the bytes; means are of exact sums:
//   v = float(sum of x - zero point of x) * (scale / pixels)   (one rounding each), and then as int8.h says.
#include "../int8_dot.h"
#include "../pooling.h"

namespace crema {
namespace CREMA_ISA {
namespace {

template <int Bytes>
struct Vector {
  typedef uint8_t type __attribute__((vector_size(Bytes)));
  typedef uint8_t memory __attribute__((vector_size(Bytes), aligned(1), may_alias));
};
template <>
struct Vector<1> {
  typedef uint8_t type;
  typedef uint8_t memory;
};

// The maxima of a window of rows and columns of pixels of c channels, of which the first `Bytes` are looked at.
template <int Bytes>
CREMA_INLINE void max_of(const uint8_t* x, int64_t line, int64_t rows, int64_t columns, int64_t c, uint8_t* y) {
  using Lane = typename Vector<Bytes>::type;
  using Memory = typename Vector<Bytes>::memory;
  Lane m{};
  for (int64_t r = 0; r < rows; ++r, x += line) {
    for (int64_t q = 0; q < columns; ++q) {
      const Lane v = *reinterpret_cast<const Memory*>(x + q * c);
      m = m > v ? m : v;
    }
  }
  *reinterpret_cast<Memory*>(y) = m;
}

// A row of outputs, `Bytes` channels at a time. Of more channels the last vector reaches back; of fewer it reaches on into
// the next pixel, whose outputs are written after it, and at the row's end single channels do.
template <int Bytes>
void max_row(const Pool& p, const uint8_t* image, int64_t oy, uint8_t* y) {
  const int64_t line = p.line(), c = p.x.c, top = p.rows.begin(oy), rows = p.rows.end(oy) - top;
  const int64_t outputs = p.columns.outputs, stride = p.columns.stride * c;
  const uint8_t* const row = image + top * line;
  int64_t ox = 0;
  if (c < Bytes && is_square(p)) {
    for (; ox * stride + c + Bytes <= line && (outputs - ox) * c >= Bytes; ++ox, y += c) {
      max_of<Bytes>(row + ox * stride, line, 2, 2, c, y);
    }
  }
  for (; ox < outputs; ++ox, y += c) {
    const int64_t left = p.columns.begin(ox), columns = p.columns.end(ox) - left;
    const uint8_t* const x = row + left * c;
    if (c >= Bytes) {
      for (int64_t at = 0; at < c; at += Bytes) {
        const int64_t channel = at + Bytes > c ? c - Bytes : at;
        max_of<Bytes>(x + channel, line, rows, columns, c, y + channel);
      }
    } else if ((left + columns - 1) * c + Bytes <= line && (outputs - ox) * c >= Bytes) {
      max_of<Bytes>(x, line, rows, columns, c, y);
    } else {
      for (int64_t channel = 0; channel < c; ++channel) max_of<1>(x + channel, line, rows, columns, c, y + channel);
    }
  }
}

// How sums become means.
struct Mean {
  int32_t x_zero, y_zero;
  float scale;  // of x, divided by that of y if y is bytes
  float* y;     // or null:
  uint8_t* q;

  explicit Mean(const Call& c, int first)
      : x_zero(static_cast<int32_t>(c.ints[first])), y_zero(static_cast<int32_t>(c.ints[first + 1])),
        scale(static_cast<float>(c.floats[0])), y(c.out[0].type == CREMA_FLOAT32 ? c.out[0].f32() : nullptr),
        q(c.out[0].as<uint8_t>()) {}

  // Of n channels of so many pixels: output i.
  CREMA_INLINED void put_mean(int64_t i, veci sum, int64_t pixels, int64_t n, float weight) const {
    const vec v = to_float(sum - static_cast<int32_t>(pixels) * x_zero) * broadcast(weight);
    const vec low = broadcast(static_cast<float>(-y_zero)), high = broadcast(static_cast<float>(255 - y_zero));
    if (y != nullptr) {
      put(y + i, v, n);
    } else {
      put_bytes(q + i, to_nearest(v, low, high) + y_zero, n);
    }
  }
};

// The means of a window of rows and columns of pixels of c channels, to output i on.
void mean_of(const Mean& m, const uint8_t* x, int64_t line, int64_t rows, int64_t columns, int64_t c, float weight,
             int64_t i) {
  for (int64_t channel = 0; channel < c; channel += W) {
    veci sum{};
    for (int64_t r = 0; r < rows; ++r) {
      const uint8_t* const row = x + r * line + channel;
      for (int64_t q = 0; q < columns; ++q) sum += some_bytes(row + q * c, c - channel);
    }
    m.put_mean(i + channel, sum, rows * columns, c - channel, weight);
  }
}

}  // namespace

// quantized_average_pool2d: in: x [n, h, w, c] uint8; out: y [n, oh, ow, c] uint8 or float32. ints: as Pool, zero
// points of x and y; floats: scale of x, divided by that of y if y is bytes. Padding is 0.
CREMA_KERNEL(quantized_average_pool2d) {
  const Pool p(c, c.in[0], c.out[0]);
  const Mean mean(c, 7);
  const int64_t line = p.line();
  parallel(c.threads, p.y.n * p.y.h, row_grain(p.rows.size * line), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t oy = i % p.y.h, top = p.rows.begin(oy), rows = p.rows.end(oy) - top;
      const uint8_t* const x = c.in[0].as<uint8_t>() + (i / p.y.h * p.x.h + top) * line;
      for (int64_t ox = 0; ox < p.y.w; ++ox) {
        const int64_t left = p.columns.begin(ox), columns = p.columns.end(ox) - left;
        const int64_t pixels = p.count_padding ? p.rows.size * p.columns.size : rows * columns;
        const float weight = mean.scale / static_cast<float>(pixels);
        mean_of(mean, x + left * p.x.c, line, rows, columns, p.x.c, weight, (i * p.y.w + ox) * p.x.c);
      }
    }
  });
}

// quantized_global_average_pool: in: x [n, ..., c] uint8; out: y [n, c] uint8 or float32. ints: zero points of x and y;
// floats as above.
CREMA_KERNEL(quantized_global_average_pool) {
  const Mean mean(c, 0);
  const int64_t n = c.in[0].dim[0], channels = c.in[0].last(), pixels = c.in[0].rows() / (n < 1 ? 1 : n);
  const float weight = mean.scale / static_cast<float>(pixels);
  parallel(c.threads, n, row_grain(pixels * channels / 4), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t* const x = c.in[0].as<uint8_t>() + i * pixels * channels;
      mean_of(mean, x, 0, 1, pixels, channels, weight, i * channels);
    }
  });
}

void max_pool_bytes(const Call& c) {
  const Pool p(c, c.in[0], c.out[0]);
  const int64_t image = p.x.h * p.line(), out = p.columns.outputs * p.x.c;
  const auto row = p.x.c >= 64 ? max_row<64> : p.x.c >= 32 ? max_row<32> : p.x.c > 8 ? max_row<16> : max_row<8>;
  const int64_t work = (p.rows.stride * p.line() + out * p.columns.size) / (p.x.c >= 4 ? 4 : 1);
  parallel(c.threads, p.y.n * p.y.h, row_grain(work), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      row(p, c.in[0].as<uint8_t>() + i / p.y.h * image, i % p.y.h, c.out[0].as<uint8_t>() + i * out);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
