// pooling.cpp: max_pool2d and average_pool2d: x [n, h, w, c] -> y [n, oh, ow, c], channels last; rank 3 is one
// row. ints as Pool. max_pool2d takes unsigned bytes too. The maximum of a window with a NaN is NaN; padding never wins and, in averages, is zero.
//
// Vectors run along channels. With fewer channels than a vector, rows of a window are first combined along the
// whole image row, so that the work per pixel is one load a column of the window.
#include "../pooling.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Max {
  static vec join(vec a, vec b) { return vmax(a, b); }
  static vec start() { return broadcast(-INFINITY); }
};
struct Sum {
  static vec join(vec a, vec b) { return a + b; }
  static vec start() { return vec{}; }
};

// A row of outputs, c >= W.
template <typename Op, bool Mean>
void wide_row(const Pool& p, const float* image, int64_t oy, float* y) {
  const int64_t line = p.line(), c = p.x.c;
  const int64_t top = p.rows.begin(oy), bottom = p.rows.end(oy);
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, y += c) {
    const int64_t left = p.columns.begin(ox), right = p.columns.end(ox);
    const vec weight = broadcast(Mean ? p.weight(oy, ox) : 1.0f);
    for (int64_t at = 0; at < c; at += W) {
      const int64_t channel = vector_start(at, c);
      vec m = Op::start();
      for (int64_t r = top; r < bottom; ++r) {
        const float* x = image + r * line + channel;
        for (int64_t q = left; q < right; ++q) m = Op::join(m, load(x + q * c));
      }
      store(y + channel, Mean ? m * weight : m);
    }
  }
}

// As wide_row where every window is 2 x 2 and lies inside: half the instructions of the general one.
template <typename Op, bool Mean>
void square_row(const Pool& p, const float* image, int64_t oy, float* y) {
  const int64_t line = p.line(), c = p.x.c, step = p.columns.stride * c;
  const float* x = image + oy * p.rows.stride * line;
  const vec weight = broadcast(0.25f);
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, x += step, y += c) {
    for (int64_t at = 0; at < c; at += W) {
      const int64_t channel = vector_start(at, c);
      const float* const q = x + channel;
      const vec m = Op::join(Op::join(load(q), load(q + c)), Op::join(load(q + line), load(q + line + c)));
      store(y + channel, Mean ? m * weight : m);
    }
  }
}

// A row of outputs, c < W; `row` is scratch memory for a row of x and a vector.
template <typename Op, bool Mean>
void narrow_row(const Pool& p, const float* image, int64_t oy, float* row, float* y) {
  const int64_t line = p.line(), c = p.x.c;
  const int64_t top = p.rows.begin(oy), bottom = p.rows.end(oy);
  const float* const first = image + top * line;
  if (top >= bottom) {
    for (int64_t i = 0; i < line; i += W) store(row + i, Op::start());
  } else if (bottom - top == 1) {
    std::memcpy(row, first, static_cast<size_t>(line) * sizeof(float));
  } else {
    each(first, first + line, row, line, [](vec a, vec b) { return Op::join(a, b); });
    for (int64_t r = top + 2; r < bottom; ++r) {
      each(row, image + r * line, row, line, [](vec a, vec b) { return Op::join(a, b); });
    }
  }
  const float* const end = y + p.columns.outputs * c;
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, y += c) {
    const int64_t left = p.columns.begin(ox), right = p.columns.end(ox);
    vec m = Op::start();
    for (int64_t q = left; q < right; ++q) m = Op::join(m, load(row + q * c));
    store_before(y, Mean ? m * p.weight(oy, ox) : m, end);
  }
}

int64_t row_bytes(const Pool& p) { return float_bytes(p.line() + W); }

int64_t scratch(const Call& c) { return c.threads * row_bytes(Pool(c, c.in[0], c.out[0])); }

template <typename Op, bool Mean>
void pool(const Call& c) {
  const Pool p(c, c.in[0], c.out[0]);
  const int64_t image = p.x.h * p.line(), out = p.columns.outputs * p.x.c;
  const int64_t work = p.rows.stride * p.line() + out * p.columns.size;
  const auto row_of = is_square(p) ? square_row<Op, Mean> : wide_row<Op, Mean>;
  parallel(c.threads, p.y.n * p.y.h, row_grain(work), [&](int64_t begin, int64_t end, int64_t chunk) {
    float* const row = reinterpret_cast<float*>(c.scratch + chunk * row_bytes(p));
    std::memset(row + p.line(), 0, W * sizeof(float));
    for (int64_t i = begin; i < end; ++i) {
      const float* const x = c.in[0].f32() + i / p.y.h * image;
      if (p.x.c < W) {
        narrow_row<Op, Mean>(p, x, i % p.y.h, row, c.out[0].f32() + i * out);
      } else {
        row_of(p, x, i % p.y.h, c.out[0].f32() + i * out);
      }
    }
  });
}

}  // namespace

CREMA_KERNEL_SCRATCH(max_pool2d, scratch) {
  if (c.in[0].type == CREMA_UINT8) return max_pool_bytes(c);
  pool<Max, false>(c);
}
CREMA_KERNEL_SCRATCH(average_pool2d, scratch) { pool<Sum, true>(c); }

}  // namespace CREMA_ISA
}  // namespace crema
