// pooling.h: windows over one axis of an image, shared by the pooling kernels.
#pragma once

#include "conv.h"

namespace crema {
namespace CREMA_ISA {

// Window o covers inputs [o * stride - pad, o * stride - pad + size), as far as they exist.
struct Windows {
  int64_t inputs, outputs, size, stride, pad;

  int64_t begin(int64_t o) const {
    const int64_t at = o * stride - pad;
    return at < 0 ? 0 : at;
  }
  int64_t end(int64_t o) const {
    const int64_t at = o * stride - pad + size;
    return at > inputs ? inputs : at < 0 ? 0 : at;
  }
  // The windows [first_of, last_of] that cover an input; none when last < first.
  int64_t first_of(int64_t input) const {
    const int64_t at = input + pad - size;
    return at < 0 ? 0 : at / stride + 1;
  }
  int64_t last_of(int64_t input) const {
    const int64_t at = (input + pad) / stride;
    return at < outputs ? at : outputs - 1;
  }
};

// The ints of every pooling kernel: window, stride, top and left padding, whether averages count the padding.
struct Pool {
  Images x, y;
  Windows rows, columns;
  bool count_padding;

  Pool(const Call& c, const Tensor& inputs, const Tensor& outputs)
      : x(inputs), y(outputs), rows{x.h, y.h, c.ints[0], c.ints[2], c.ints[4]},
        columns{x.w, y.w, c.ints[1], c.ints[3], c.ints[5]}, count_padding(c.ints[6] != 0) {}

  int64_t line() const { return x.w * x.c; }  // floats of a row of x
  float weight(int64_t oy, int64_t ox) const {
    const int64_t n = count_padding ? rows.size * columns.size
                                    : (rows.end(oy) - rows.begin(oy)) * (columns.end(ox) - columns.begin(ox));
    return n > 0 ? 1.0f / static_cast<float>(n) : 0.0f;
  }
};

// Whether every window is 2 x 2 and lies inside.
CREMA_INLINE bool is_square(const Pool& p) {
  const auto inside = [](const Windows& w) {
    return w.size == 2 && w.pad == 0 && (w.outputs - 1) * w.stride + 2 <= w.inputs;
  };
  return inside(p.rows) && inside(p.columns);
}

// max_pool2d of unsigned bytes (int8_pool.cpp).
void max_pool_bytes(const Call& c);

// Rows of work that are worth a thread.
CREMA_INLINE int64_t row_grain(int64_t floats) { return 1 + 32768 / (floats < 1 ? 1 : floats); }

// Fewer channels than a vector: a vector at a pixel holds its neighbours' channels too. Loads near the end of
// a tensor take only what is there.
CREMA_INLINE vec load_before(const float* p, const float* end) {
  return p + W <= end ? load(p) : load_n(p, end - p);
}
// Stores whole vectors in ascending order, each over the surplus of the one before; near the end of a row only
// what fits.
CREMA_INLINE void store_before(float* p, vec v, const float* end) {
  if (p + W <= end) {
    store(p, v);
  } else {
    store_n(p, v, end - p);
  }
}

// The channel at which a vector starts when vectors of W channels cover `channels` >= W: the last reaches back.
CREMA_INLINE int64_t vector_start(int64_t c, int64_t channels) { return c + W > channels ? channels - W : c; }

}  // namespace CREMA_ISA
}  // namespace crema
