// conv_winograd_source.cpp: the source's side of conv_winograd.h.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// B' of a line of pixels `step` apart: by the points 0, 1, -1 and infinity, or 0, 1, -1, 2, -1/2 and infinity.
template <int Edge>
CREMA_INLINE void source_line(vec* x, int step) {
  static_assert(Edge == 4 || Edge == 6);
  if constexpr (Edge == 4) {
    const vec a = x[0] - x[2 * step], b = x[step] + x[2 * step], d = x[step] - x[3 * step];
    x[2 * step] = x[2 * step] - x[step];
    x[0] = a;
    x[step] = b;
    x[3 * step] = d;
  } else {
    const vec a = x[0], b = x[step], c = x[2 * step], d = x[3 * step], e = x[4 * step], f = x[5 * step];
    const vec u = e - c, v = d - b;
    x[0] = (a - c) + (u - 1.5f * v);
    x[step] = (u - 0.5f * v) - 1.5f * (b + c);
    x[2 * step] = (u - v) + 1.5f * (c - d);
    x[3 * step] = u + 0.5f * v;
    x[4 * step] = u - 2.0f * v;
    x[5 * step] = (f - d) - (v + 1.5f * u);
  }
}

// B' d B of one tile's pixels, to places `place` floats apart.
template <int Edge>
void transform(const float* const* pixels, int64_t k, float* to, int64_t place) {
  const auto columns = [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
    vec d[Edge * Edge];
#pragma GCC unroll 36
    for (int p = 0; p < Edge * Edge; ++p) d[p] = some(pixels[p] + i, lanes);
#pragma GCC unroll 6
    for (int j = 0; j < Edge; ++j) source_line<Edge>(d + j, Edge);
#pragma GCC unroll 6
    for (int j = 0; j < Edge; ++j) source_line<Edge>(d + Edge * j, 1);
#pragma GCC unroll 36
    for (int p = 0; p < Edge * Edge; ++p) put(to + p * place + i, d[p], lanes);
  };
  int64_t i = 0;
  for (; i + W <= k; i += W) columns(i, W);
  if (i < k) columns(i, k - i);
}

template <int Edge>
void transform_tiles(const WinogradTiles& t, int64_t first, int64_t count, const float* x, const float* zeros,
                     float* source, int64_t place) {
  const Axis &rows = t.layout.rows, &columns = t.layout.columns;
  const int64_t channels = t.layout.channels;
  for (int64_t i = 0; i < count; ++i, source += channels) {
    const WinogradTiles::Place at = t.at(first + i);
    const float* pixels[Edge * Edge];
    for (int64_t r = 0; r < Edge; ++r) {
      const int64_t h = rows.origin + at.row + r;
      for (int64_t q = 0; q < Edge; ++q) {
        const int64_t w = columns.origin + at.column + q;
        const bool inside = h >= 0 && h < rows.source && w >= 0 && w < columns.source;
        pixels[Edge * r + q] = inside ? x + ((at.image * rows.source + h) * columns.source + w) * channels : zeros;
      }
    }
    transform<Edge>(pixels, channels, source, place);
  }
}

}  // namespace

bool winograd_fits(const Layout& layout) {
  const auto fits = [](const Axis& a) {
    return (a.taps == 3 || a.taps == 5) && a.stride == 1 && a.tap_step == 1 && a.target_step == 1 && a.outputs > 1;
  };
  return layout.rows.taps == layout.columns.taps && fits(layout.rows) && fits(layout.columns);
}

void winograd_source(const WinogradTiles& t, int64_t first, int64_t count, const float* x, const float* zeros,
                     float* source, int64_t place) {
  const auto of = t.edge() == 4 ? transform_tiles<4> : transform_tiles<6>;
  of(t, first, count, x, zeros, source, place);
}

}  // namespace CREMA_ISA
}  // namespace crema
