// conv_winograd.h: what Winograd's convolutions and their gradients share: tiles of source pixels, two apart, that
// meet 2 x 2 outputs: 4 x 4 pixels under windows of 3 x 3, 6 x 6 under windows of 5 x 5.
#pragma once

#include "conv.h"

namespace crema {
namespace CREMA_ISA {

// The tiles of all images, in order.
struct WinogradTiles {
  Layout layout;
  int64_t rows, columns;  // of an image
  int64_t count;

  explicit WinogradTiles(const Layout& l)
      : layout(l), rows((l.rows.outputs + 1) / 2), columns((l.columns.outputs + 1) / 2),
        count(l.images * rows * columns) {}

  int64_t edge() const { return layout.rows.taps + 1; }
  int64_t places() const { return edge() * edge(); }
  struct Place {
    int64_t image, row, column;  // of a tile's first output
  };
  Place at(int64_t tile) const {
    return {tile / (rows * columns), tile / columns % rows * 2, tile % columns * 2};
  }
};

// Whether a convolution is one that the tiles fit: 3 x 3 or 5 x 5, stride 1, more than one output along each axis.
bool winograd_fits(const Layout& layout);
// Floats between places for tiles of so many floats: a cache line more than a multiple of a page, which would put all
// places into one set of the L1 cache (a third slower on 64 channels, Zen 5).
inline int64_t place_floats(int64_t floats) { return round_up(floats, 16) + 16; }
// B' d B of tiles [first, first + count) to source[place][tile][channel]; `zeros` has as many as there are channels.
void winograd_source(const WinogradTiles& t, int64_t first, int64_t count, const float* x, const float* zeros,
                     float* source, int64_t place);


// How a convolution, or its gradient in the inputs, goes through its tiles: blocks of them, a product of matrices
// [tiles, k] x [k, n] for each place of a tile. Scratch memory: filters, then of each thread what Memory names.
struct WinogradBlocks {
  WinogradTiles tiles;
  Panels panels;
  int64_t k, n;
  int64_t block, blocks;                   // tiles that are computed together
  int64_t shares;                          // of the columns of a block, where there are fewer blocks than threads
  int64_t source_place, sums_place;        // floats
  int64_t filters, source, sums, offsets;  // bytes: of all, then of each thread

  explicit WinogradBlocks(const Convolution& c);
  int64_t thread_bytes() const { return source + sums + 2 * offsets; }

  struct Memory {
    float *source, *sums;  // [place][tile][channel]
    int64_t *a_offset, *c_offset;
  };
  Memory memory(char* scratch, int64_t thread) const;
  // The sums of `count` tiles in the panels [from, to), with the filters as winograd_filters leaves them.
  void multiply(const Memory& m, const float* transformed, int64_t count, int64_t from, int64_t to) const;
};

}  // namespace CREMA_ISA
}  // namespace crema
