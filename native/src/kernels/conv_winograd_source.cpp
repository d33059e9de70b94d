// conv_winograd_source.cpp: the source's side of conv_winograd.h.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// B' of a line of four.
CREMA_INLINE void source_line(vec* x, int step) {
  const vec a = x[0] - x[2 * step], b = x[step] + x[2 * step], d = x[step] - x[3 * step];
  x[2 * step] = x[2 * step] - x[step];
  x[0] = a;
  x[step] = b;
  x[3 * step] = d;
}

// B' d B of one tile's pixels, to places `place` floats apart.
void transform_source(const float* const* pixels, int64_t k, float* to, int64_t place) {
  const auto columns = [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
    vec d[16];
#pragma GCC unroll 16
    for (int p = 0; p < 16; ++p) d[p] = some(pixels[p] + i, lanes);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) source_line(d + j, 4);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) source_line(d + 4 * j, 1);
#pragma GCC unroll 16
    for (int p = 0; p < 16; ++p) put(to + p * place + i, d[p], lanes);
  };
  int64_t i = 0;
  for (; i + W <= k; i += W) columns(i, W);
  if (i < k) columns(i, k - i);
}

}  // namespace

bool winograd_fits(const Layout& layout) {
  const auto fits = [](const Axis& a) {
    return a.taps == 3 && a.stride == 1 && a.tap_step == 1 && a.target_step == 1 && a.outputs > 1;
  };
  return fits(layout.rows) && fits(layout.columns);
}

void winograd_source(const WinogradTiles& t, int64_t first, int64_t count, const float* x, const float* zeros,
                     float* source, int64_t place) {
  const Axis &rows = t.layout.rows, &columns = t.layout.columns;
  const int64_t channels = t.layout.channels;
  for (int64_t i = 0; i < count; ++i, source += channels) {
    const WinogradTiles::Place at = t.at(first + i);
    const float* pixels[kPlaces];
    for (int64_t r = 0; r < 4; ++r) {
      const int64_t h = rows.origin + at.row + r;
      for (int64_t q = 0; q < 4; ++q) {
        const int64_t w = columns.origin + at.column + q;
        const bool inside = h >= 0 && h < rows.source && w >= 0 && w < columns.source;
        pixels[4 * r + q] = inside ? x + ((at.image * rows.source + h) * columns.source + w) * channels : zeros;
      }
    }
    transform_source(pixels, channels, source, place);
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
