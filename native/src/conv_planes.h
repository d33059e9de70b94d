// conv_planes.h: convolution with few outputs a group. There a vector of output channels is mostly empty, so vectors
// run along pixels instead: images are copied into planes, one a channel, with the zeros of the padding in them.
//
// With a stride, a plane is split into phases: plane (c, i, j) holds source rows i, i + stride, ... and columns j,
// j + stride, ... of channel c. Output pixel (row, column) stands at row * width + column, and a tap reads a plane at a
// constant distance from there. So all pixels of a block are one run of memory; behind each row's outputs are a few
// that nobody reads.
#pragma once

#include "conv.h"

namespace crema {
namespace CREMA_ISA {

// Rows of outputs that are computed together, and the planes of their source.
struct Planes {
  Layout layout;
  int64_t row_phases, column_phases;
  int64_t width;         // of a row
  int64_t rows, blocks;  // rows of outputs in a block, blocks in an image

  // `outputs`: channels of planes of outputs, which share the cache with those of the source.
  Planes(const Layout& layout, int64_t outputs);

  int64_t count() const { return layout.images * blocks; }
  int64_t plane(int64_t output_rows) const;  // floats of a plane of the source under so many rows of outputs
  int64_t channel() const { return row_phases * column_phases * plane(rows); }
  int64_t source_floats() const { return layout.channels * channel(); }
  // From the first of `n` rows of outputs to behind the last pixel.
  int64_t run(int64_t n) const { return (n - 1) * width + layout.columns.outputs; }
  // Of a plane of outputs: a whole vector may be written at the last pixel.
  int64_t output_plane() const { return round_up(rows * width + W, 16); }
  // Where a tap lies in a channel's planes.
  int64_t offset(int64_t row_tap, int64_t column_tap) const;
};

// Output rows [first, first + n) of an image.
struct PlaneBlock {
  int64_t image, first, n;
  PlaneBlock(const Planes& p, int64_t i)
      : image(i / p.blocks),
        first(i % p.blocks * p.rows),
        n(p.layout.rows.outputs - first < p.rows ? p.layout.rows.outputs - first : p.rows) {}
};

// The source of a block of the images x, which end at x_end.
void to_planes(const Planes& p, const PlaneBlock& block, const float* x, const float* x_end, float* planes);

// Pixels with `channels` channels, `pixel` floats apart, to planes `plane` floats apart. Writes up to W floats more.
void pixels_to_planes(const float* x, const float* x_end, int64_t pixel, int64_t channels, int64_t pixels,
                      float* planes, int64_t plane);
// And back.
void planes_to_pixels(const float* planes, int64_t plane, int64_t channels, int64_t pixels, float* y, int64_t pixel);

// Rows x columns of registers that hold sums, for so many rows: as many columns as fit with their operands.
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kMostSums = 8;
constexpr int kSumColumns[kMostSums + 1] = {0, 8, 8, 8, 6, 5, 4, 3, 3};
#else
constexpr int kMostSums = 6;
constexpr int kSumColumns[kMostSums + 1] = {0, 6, 5, 4, 3, 2, 2};
#endif

// Calls f<rows, columns> of a template class for run-time numbers of both.
template <template <int, int> class F, int R, int C, typename... A>
CREMA_INLINE void with_columns(int64_t columns, A&&... arguments) {
  if (columns == C) return F<R, C>::run(arguments...);
  if constexpr (C > 1) with_columns<F, R, C - 1>(columns, arguments...);
}
template <template <int, int> class F, int R, typename... A>
CREMA_INLINE void with_sums(int64_t rows, int64_t columns, A&&... arguments) {
  if (rows == R) return with_columns<F, R, kSumColumns[R]>(columns, arguments...);
  if constexpr (R > 1) with_sums<F, R - 1>(rows, columns, arguments...);
}

// Whether planes are faster than vectors of channels: for taps * k products in each of n outputs of a group.
bool planes_pay(const Layout& layout, int64_t groups, int64_t k, int64_t n);

}  // namespace CREMA_ISA
}  // namespace crema
