// pooling_grad.cpp: gradients of pooling. ints as Pool; overlapping windows add up.
//
// max_pool2d_grad: x, y, dy -> dx. dy flows to the first of a window's maxima in row-major order (a NaN counts
// as the maximum). It is found again by comparing x with y: that costs a read of x and saves an index tensor.
// average_pool2d_grad: dy -> dx.
#include "../pooling.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// Lanes of x that are the maximum y, a NaN being equal to NaN.
CREMA_INLINE veci is_maximum(vec x, vec y) { return (x == y) | (x != x); }

// Rows [from, to) of dx that lie in the window row oy, c >= W. Adds to dx.
void max_wide(const Pool& p, const float* x, const float* y, const float* dy, int64_t oy, int64_t from, int64_t to,
              float* dx) {
  const int64_t line = p.line(), c = p.x.c;
  const int64_t top = p.rows.begin(oy), bottom = p.rows.end(oy);
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, y += c, dy += c) {
    const int64_t left = p.columns.begin(ox), right = p.columns.end(ox);
    for (int64_t at = 0; at < c; at += W) {
      // The vector that reaches back sees its first lanes a second time: they take nothing.
      const int64_t channel = vector_start(at, c);
      veci open = broadcasti(-1);
      for (int64_t i = 0; i < at - channel; ++i) open[i] = 0;
      const vec m = load(y + channel);
      const veci flow = as_int(load(dy + channel));
      for (int64_t r = top; r < bottom; ++r) {
        for (int64_t q = left; q < right; ++q) {
          const int64_t i = r * line + q * c + channel;
          const veci hit = is_maximum(load(x + i), m) & open;
          open &= ~hit;
          if (r >= from && r < to) store(dx + i, load(dx + i) + as_float(hit & flow));
        }
      }
    }
  }
}

// As max_wide where windows are 2 x 2, side by side and inside, c >= W: what three pixels do not take, the fourth does.
// Writes whole rows of dx, which need not be zero before.
void max_squares(const Pool& p, const float* x, const float* y, const float* dy, int64_t oy, float* dx) {
  const int64_t line = p.line(), c = p.x.c;
  const float* pixel = x + 2 * oy * line;
  float* slope = dx + 2 * oy * line;
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, y += c, dy += c, pixel += 2 * c, slope += 2 * c) {
    for (int64_t at = 0; at < c; at += W) {
      const int64_t channel = vector_start(at, c);
      const float* const q = pixel + channel;
      float* const d = slope + channel;
      for (int64_t next = 2 * line; next < 4 * line; next += line) {
        fetch(q + next);
        fetch(q + next + c);
        fetch_to_write(d + next);
        fetch_to_write(d + next + c);
      }
      const vec m = load(y + channel), flow = load(dy + channel);
      const veci first = is_maximum(load(q), m), second = is_maximum(load(q + c), m) & ~first;
      const veci third = is_maximum(load(q + line), m) & ~(first | second);
      store(d, select(first, flow, vec{}));
      store(d + c, select(second, flow, vec{}));
      store(d + line, select(third, flow, vec{}));
      store(d + line + c, select(first | second | third, vec{}, flow));
    }
  }
  const size_t rest = static_cast<size_t>((p.x.w - 2 * p.columns.outputs) * c) * sizeof(float);
  std::memset(slope, 0, rest);
  std::memset(slope + line, 0, rest);
}

// As max_wide for c < W, one channel at a time.
void max_narrow(const Pool& p, const float* x, const float* y, const float* dy, int64_t oy, int64_t from, int64_t to,
                float* dx) {
  const int64_t line = p.line(), c = p.x.c;
  const int64_t top = p.rows.begin(oy), bottom = p.rows.end(oy);
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox) {
    const int64_t left = p.columns.begin(ox), right = p.columns.end(ox);
    for (int64_t k = 0; k < c; ++k, ++y, ++dy) {
      bool open = true;
      for (int64_t r = top; r < bottom && open; ++r) {
        for (int64_t q = left; q < right && open; ++q) {
          const int64_t i = r * line + q * c + k;
          if (x[i] != *y && x[i] == x[i]) continue;
          open = false;
          if (r >= from && r < to) dx[i] += *dy;
        }
      }
    }
  }
}

// c < W and no window overlaps another: all of dx's rows in window row oy are written, in `rows` first (each
// stride floats apart), because whole vectors are stored over one another.
void max_apart(const Pool& p, const float* x, const float* x_end, const float* y, const float* y_end, const float* dy,
               const float* dy_end, int64_t oy, float* rows, int64_t stride, float* dx) {
  const int64_t line = p.line(), c = p.x.c;
  const int64_t top = p.rows.begin(oy), bottom = p.rows.end(oy);
  int64_t done = 0;  // columns written
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, y += c, dy += c) {
    const int64_t left = p.columns.begin(ox), right = p.columns.end(ox);
    for (; done < left; ++done) {
      for (int64_t r = top; r < bottom; ++r) store(rows + (r - top) * stride + done * c, vec{});
    }
    const vec m = load_before(y, y_end);
    const veci flow = as_int(load_before(dy, dy_end));
    veci open = broadcasti(-1);
    for (int64_t r = top; r < bottom; ++r) {
      for (int64_t q = left; q < right; ++q) {
        const veci hit = is_maximum(load_before(x + r * line + q * c, x_end), m) & open;
        open &= ~hit;
        store(rows + (r - top) * stride + q * c, as_float(hit & flow));
      }
    }
    if (right > done) done = right;
  }
  for (; done < p.x.w; ++done) {
    for (int64_t r = top; r < bottom; ++r) store(rows + (r - top) * stride + done * c, vec{});
  }
  for (int64_t r = top; r < bottom; ++r) {
    std::memcpy(dx + r * line, rows + (r - top) * stride, static_cast<size_t>(line) * sizeof(float));
  }
}

bool squares(const Pool& p) {
  return p.x.c >= W && is_square(p) && p.rows.stride == 2 && p.columns.stride == 2;
}

bool apart(const Pool& p) {
  return p.x.c < W && p.rows.stride >= p.rows.size && p.columns.stride >= p.columns.size;
}

int64_t row_floats(const Pool& p) { return round_up(p.line() + W, 16); }

int64_t max_scratch(const Call& c) {
  const Pool p(c, c.out[0], c.in[1]);
  return apart(p) ? c.threads * p.rows.size * row_floats(p) * 4 : 0;
}

// Rows [from, to) of one image's dx.
void max_rows(const Pool& p, const Call& c, int64_t image, int64_t from, int64_t to, float* rows) {
  const int64_t line = p.line(), out = p.columns.outputs * p.x.c;
  const float* const x = c.in[0].f32() + image * p.x.h * line;
  const float* const y = c.in[1].f32() + image * p.y.h * out;
  const float* const dy = c.in[2].f32() + image * p.y.h * out;
  float* const dx = c.out[0].f32() + image * p.x.h * line;
  if (squares(p)) {
    const int64_t end = to / 2 < p.rows.outputs ? to / 2 : p.rows.outputs;
    for (int64_t oy = from / 2; oy < end; ++oy) max_squares(p, x, y + oy * out, dy + oy * out, oy, dx);
    if (2 * end < to) std::memset(dx + 2 * end * line, 0, static_cast<size_t>((to - 2 * end) * line) * sizeof(float));
    return;
  }
  const bool whole = apart(p);
  if (!whole) std::memset(dx + from * line, 0, static_cast<size_t>((to - from) * line) * sizeof(float));
  int64_t done = from;  // rows written, where windows are apart
  for (int64_t oy = p.rows.first_of(from); oy < p.rows.outputs && p.rows.begin(oy) < to; ++oy) {
    if (whole) {
      const int64_t top = p.rows.begin(oy), bottom = p.rows.end(oy);
      if (top > done) std::memset(dx + done * line, 0, static_cast<size_t>((top - done) * line) * sizeof(float));
      if (bottom > done) done = bottom;
      max_apart(p, x, c.in[0].f32() + c.in[0].elements(), y + oy * out, c.in[1].f32() + c.in[1].elements(),
                dy + oy * out, c.in[2].f32() + c.in[2].elements(), oy, rows, row_floats(p), dx);
    } else if (p.x.c < W) {
      max_narrow(p, x, y + oy * out, dy + oy * out, oy, from, to, dx);
    } else {
      max_wide(p, x, y + oy * out, dy + oy * out, oy, from, to, dx);
    }
  }
  if (whole && done < to) std::memset(dx + done * line, 0, static_cast<size_t>((to - done) * line) * sizeof(float));
}

// A row of dx of the average, c >= W: every input takes from the windows over it.
void average_wide(const Pool& p, const float* dy, int64_t r, float* dx) {
  const int64_t c = p.x.c, out = p.columns.outputs * c;
  const int64_t top = p.rows.first_of(r), bottom = p.rows.last_of(r);
  for (int64_t q = 0; q < p.x.w; ++q, dx += c) {
    const int64_t left = p.columns.first_of(q), right = p.columns.last_of(q);
    for (int64_t at = 0; at < c; at += W) {
      const int64_t channel = vector_start(at, c);
      vec sum{};
      for (int64_t oy = top; oy <= bottom; ++oy) {
        for (int64_t ox = left; ox <= right; ++ox) {
          sum += load(dy + oy * out + ox * c + channel) * p.weight(oy, ox);
        }
      }
      store(dx + channel, sum);
    }
  }
}

// The same for c < W; `row` holds a row of outputs and a vector.
void average_narrow(const Pool& p, const float* dy, const float* dy_end, int64_t r, float* row, float* dx) {
  const int64_t c = p.x.c, out = p.columns.outputs * c;
  const int64_t top = p.rows.first_of(r), bottom = p.rows.last_of(r);
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox) {
    vec sum{};
    for (int64_t oy = top; oy <= bottom; ++oy) {
      sum += load_before(dy + oy * out + ox * c, dy_end) * p.weight(oy, ox);
    }
    store(row + ox * c, sum);
  }
  const float* const end = dx + p.line();
  for (int64_t q = 0; q < p.x.w; ++q, dx += c) {
    vec sum{};
    for (int64_t ox = p.columns.first_of(q); ox <= p.columns.last_of(q); ++ox) sum += load(row + ox * c);
    store_before(dx, sum, end);
  }
}

int64_t average_row(const Pool& p) { return float_bytes(p.columns.outputs * p.x.c + W); }

int64_t average_scratch(const Call& c) { return c.threads * average_row(Pool(c, c.out[0], c.in[0])); }

}  // namespace

CREMA_KERNEL_SCRATCH(max_pool2d_grad, max_scratch) {
  const Pool p(c, c.out[0], c.in[1]);
  // Bands of whole strides: where windows are apart none crosses a band's edge but by the padding.
  const int64_t band = apart(p) ? p.x.h : p.rows.stride * 4;
  const int64_t bands = p.x.h == 0 ? 0 : (p.x.h + band - 1) / band;
  parallel(c.threads, p.x.n * bands, row_grain(2 * band * p.line()), [&](int64_t begin, int64_t end, int64_t chunk) {
    float* const rows = reinterpret_cast<float*>(c.scratch) + chunk * p.rows.size * row_floats(p);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % bands * band;
      max_rows(p, c, i / bands, from, from + band < p.x.h ? from + band : p.x.h, rows);
    }
  });
}

CREMA_KERNEL_SCRATCH(average_pool2d_grad, average_scratch) {
  const Pool p(c, c.out[0], c.in[0]);
  const int64_t out = p.y.h * p.columns.outputs * p.x.c;
  parallel(c.threads, p.x.n * p.x.h, row_grain(2 * p.line()), [&](int64_t begin, int64_t end, int64_t chunk) {
    float* const row = reinterpret_cast<float*>(c.scratch + chunk * average_row(p));
    for (int64_t i = begin; i < end; ++i) {
      const float* const dy = c.in[0].f32() + i / p.x.h * out;
      float* const dx = c.out[0].f32() + i * p.line();
      if (p.x.c < W) {
        average_narrow(p, dy, c.in[0].f32() + c.in[0].elements(), i % p.x.h, row, dx);
      } else {
        average_wide(p, dy, i % p.x.h, dx);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
