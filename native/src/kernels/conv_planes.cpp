// conv_planes.cpp: images to planes and back.
#include "../conv_planes.h"

#include "../gemm_pack.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kPlaneFloats = 65536;  // of a block, source and outputs: a quarter of an L2 cache of 1 MB

int64_t ceil_div(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t greatest(int64_t a, int64_t b) { return a > b ? a : b; }

// The place of the last tap, in steps of the stride.
int64_t reach(const Axis& a) { return a.span() / a.stride; }

// The first `Rows` (a power of two up to W) vectors as rows become W pixels of `Rows` floats each.
template <int Rows>
CREMA_INLINE void to_pixels(vec* x) {
#pragma GCC unroll 4
  for (int round = 1; round < Rows; round *= 2) {
    vec y[Rows];
#pragma GCC unroll 16
    for (int i = 0; i < Rows / 2; ++i) interleave(x[i], x[i + Rows / 2], &y[2 * i], &y[2 * i + 1]);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) x[i] = y[i];
  }
}

// y[i] = v[index[i]]
CREMA_INLINE vec permute(vec v, veci index) {
#if defined(__AVX512F__)
  return (vec)_mm512_permutexvar_ps((__m512i)index, (__m512)v);
#elif defined(__AVX2__)
  return (vec)_mm256_permutevar8x32_ps((__m256)v, (__m256i)index);
#else
  vec y{};
  for (int i = 0; i < W; ++i) y[i] = v[index[i]];
  return y;
#endif
}

// Pixels of `channels` <= Rows floats, one behind the other: whole vectors are stored in ascending order, each over the
// surplus of the one before, and at the end only what is left.
template <int Rows>
void narrow(const float* planes, int64_t plane, int64_t channels, int64_t pixels, float* y) {
  constexpr int kPixels = W / Rows;  // in a vector
  veci index{};
  for (int i = 0; i < kPixels * channels; ++i) index[i] = static_cast<int>(i / channels * Rows + i % channels);
  float* const end = y + pixels * channels;
  for (int64_t j = 0; j < pixels; j += W) {
    vec v[Rows];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) v[i] = i < channels ? load(planes + i * plane + j) : vec{};
    to_pixels<Rows>(v);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i, y += kPixels * channels) {
      const vec p = permute(v[i], index);
      if (y + W <= end) {
        store(y, p);
      } else if (y < end) {
        store_n(y, p, end - y);
      }
    }
  }
}

// Channels [0, channels) of pixels that lie apart.
CREMA_INLINE void spread(const float* planes, int64_t plane, int64_t channels, int64_t pixels, float* y,
                         int64_t pixel) {
  vec v[W];
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) v[i] = i < channels ? load(planes + i * plane) : vec{};
  transpose(v);
#pragma GCC unroll 16
  for (int q = 0; q < W; ++q) {
    if (q >= pixels) return;
    if (channels == W) {
      store(y + q * pixel, v[q]);
    } else {
      store_n(y + q * pixel, v[q], channels);
    }
  }
}

// W x W numbers: `channels` channels from k on of up to W pixels.
CREMA_INLINE void square(const float* x, const float* x_end, int64_t pixel, int64_t channels, int64_t pixels,
                         float* planes, int64_t plane) {
  vec v[W];
  if (pixels >= W && x + (W - 1) * pixel + W <= x_end) {
#pragma GCC unroll 16
    for (int q = 0; q < W; ++q) v[q] = load(x + q * pixel);
  } else {
    for (int q = 0; q < W; ++q) v[q] = q < pixels ? load_n(x + q * pixel, channels) : vec{};
  }
  transpose(v);
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) {
    if (i < channels) store(planes + i * plane, v[i]);
  }
}

}  // namespace

Planes::Planes(const Layout& l, int64_t outputs) : layout(l) {
  row_phases = greatest(1, least(l.rows.stride, l.rows.span() + 1));
  column_phases = greatest(1, least(l.columns.stride, l.columns.span() + 1));
  width = l.columns.outputs + reach(l.columns);
  rows = 0;
  while (rows < l.rows.outputs) {
    const int64_t next = rows + 1;
    const int64_t source = l.channels * row_phases * column_phases * plane(next);
    if (rows > 0 && source + outputs * next * width > kPlaneFloats) break;
    rows = next;
  }
  blocks = rows == 0 ? 0 : ceil_div(l.rows.outputs, rows);
  if (blocks > 0) rows = ceil_div(l.rows.outputs, blocks);
}

int64_t Planes::plane(int64_t output_rows) const {
  return round_up((output_rows + reach(layout.rows)) * width + 2 * W, 16);
}

int64_t Planes::offset(int64_t row_tap, int64_t column_tap) const {
  const Axis &r = layout.rows, &c = layout.columns;
  const int64_t row = row_tap * r.tap_step, column = column_tap * c.tap_step;
  return (row % r.stride * column_phases + column % c.stride) * plane(rows) + row / r.stride * width +
         column / c.stride;
}

void to_planes(const Planes& p, const PlaneBlock& b, const float* x, const float* x_end, float* planes) {
  const Axis &r = p.layout.rows, &c = p.layout.columns;
  const int64_t channels = p.layout.channels, plane = p.plane(p.rows);
  const float* const image = x + b.image * r.source * c.source * channels;
  for (int64_t i = 0; i < p.row_phases; ++i) {
    for (int64_t j = 0; j < p.column_phases; ++j) {
      float* const phase = planes + (i * p.column_phases + j) * plane;
      // Columns [left, right) of a row of the phase lie in the image.
      const int64_t left = least(p.width, greatest(0, ceil_div(-c.origin - j, c.stride)));
      const int64_t right = least(p.width, greatest(left, ceil_div(c.source - c.origin - j, c.stride)));
      for (int64_t row = 0; row < b.n + reach(r); ++row) {
        const int64_t h = r.origin + i + (b.first + row) * r.stride;
        const bool inside = h >= 0 && h < r.source && left < right;
        float* const to = phase + row * p.width;
        if (inside) {
          pixels_to_planes(image + (h * c.source + c.origin + j + left * c.stride) * channels, x_end,
                           c.stride * channels, channels, right - left, to + left, p.channel());
        }
        const int64_t begin = inside ? left : 0, end = inside ? right : 0;
        for (int64_t k = 0; k < channels; ++k) {
          float* const line = to + k * p.channel();
          for (int64_t q = 0; q < begin; ++q) line[q] = 0.0f;
          for (int64_t q = end; q < p.width; ++q) line[q] = 0.0f;
        }
      }
      // What vectors at the last pixels read.
      const int64_t filled = (b.n + reach(r)) * p.width;
      for (int64_t k = 0; k < channels; ++k) {
        std::memset(phase + k * p.channel() + filled, 0, static_cast<size_t>(2 * W) * sizeof(float));
      }
    }
  }
}

void pixels_to_planes(const float* x, const float* x_end, int64_t pixel, int64_t channels, int64_t pixels,
                      float* planes, int64_t plane) {
  if (channels == 1) {
    if (pixel == 1) {
      std::memcpy(planes, x, static_cast<size_t>(pixels) * sizeof(float));
    } else {
      for (int64_t j = 0; j < pixels; ++j) planes[j] = x[j * pixel];
    }
    return;
  }
  for (int64_t k = 0; k < channels; k += W) {
    for (int64_t j = 0; j < pixels; j += W) {
      square(x + j * pixel + k, x_end, pixel, least(W, channels - k), pixels - j, planes + k * plane + j, plane);
    }
  }
}

void planes_to_pixels(const float* planes, int64_t plane, int64_t channels, int64_t pixels, float* y, int64_t pixel) {
  if (W >= 4 && channels <= W && pixel == channels) {
    if (channels <= 4) return narrow < W < 4 ? W : 4 > (planes, plane, channels, pixels, y);
    if (channels <= 8) return narrow < W < 8 ? W : 8 > (planes, plane, channels, pixels, y);
    return narrow<W>(planes, plane, channels, pixels, y);
  }
  for (int64_t j = 0; j < pixels; j += W) {
    for (int64_t k = 0; k < channels; k += W) {
      spread(planes + k * plane + j, plane, least(W, channels - k), pixels - j, y + j * pixel + k, pixel);
    }
  }
}

// In cycles of two multiply-adds for W output pixels of a group. Transposing a vector there or back costs about five
// (kernel_bench, Zen 5), a tile of one vector of channels reaches nine tenths of the peak.
bool planes_pay(const Layout& l, int64_t groups, int64_t k, int64_t n) {
  if (n >= W || l.outputs() == 0) return false;
  const int64_t products = l.rows.taps * l.columns.taps * k, vectors = (n + W - 1) / W;
  const int64_t width = l.columns.outputs + reach(l.columns);
  const int64_t source = k * l.rows.stride * l.columns.stride;
  const double planar = 0.5 * static_cast<double>(products * n * width) / static_cast<double>(l.columns.outputs) +
                        5.0 * static_cast<double>(source + n);
  const double direct = 0.5 * static_cast<double>(products * vectors * W) / 0.9;
  // A block is at least a row.
  const int64_t row = l.channels * l.rows.stride * l.columns.stride * (1 + reach(l.rows)) * width + groups * n * width;
  return planar < direct && row <= 2 * kPlaneFloats;
}

}  // namespace CREMA_ISA
}  // namespace crema
