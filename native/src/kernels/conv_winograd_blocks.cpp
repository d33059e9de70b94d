// conv_winograd_blocks.cpp: the products of conv_winograd.h.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBlockFloats = 98304;  // of a block of tiles, transformed: 384 KB of a 1 MB L2 cache, beside the filters
constexpr int64_t kFewTiles = 8;         // that still keep the multipliers of two vectors of columns busy

}  // namespace

WinogradBlocks::WinogradBlocks(const Convolution& c) : tiles(c.layout), panels(c.n), k(c.k), n(c.n) {
  int64_t most = kBlockFloats / (tiles.places() * (k + n)) / 12 * 12;  // whole register tiles
  if (most < 12) most = 12;
  int64_t own = (tiles.count + c.threads - 1) / c.threads;  // of a thread
  if (own < kFewTiles) own = kFewTiles;
  if (own > tiles.count) own = tiles.count;
  const int64_t parts = (own + most - 1) / most, room = own < most ? own : most;
  block = parts == 0 ? 0 : (own + parts - 1) / parts;
  blocks = block == 0 ? 0 : (tiles.count + block - 1) / block;
  shares = blocks == 0 || blocks >= c.threads ? 1 : (c.threads + blocks - 1) / blocks;
  if (shares > panels.count) shares = panels.count;
  filters = (c.is_packed ? 0 : float_bytes(winograd_floats(c))) + float_bytes(k);
  source_place = place_floats(room * k);
  sums_place = place_floats(room * n);
  source = float_bytes(tiles.places() * source_place);
  sums = float_bytes(tiles.places() * sums_place);
  offsets = round_up(room * 8, 64);
}

WinogradBlocks::Memory WinogradBlocks::memory(char* scratch, int64_t thread) const {
  char* const own = scratch + filters + thread * thread_bytes();
  Memory m;
  m.source = reinterpret_cast<float*>(own);
  m.sums = reinterpret_cast<float*>(own + source);
  m.a_offset = reinterpret_cast<int64_t*>(own + source + sums);
  m.c_offset = m.a_offset + offsets / 8;
  for (int64_t t = 0; t < block; ++t) {
    m.a_offset[t] = t * k;
    m.c_offset[t] = t * n;
  }
  return m;
}

void WinogradBlocks::multiply(const Memory& m, const float* transformed, int64_t count, int64_t from,
                              int64_t to) const {
  const Segment segment{0, k};
  for (int64_t place = 0; place < tiles.places(); ++place) {
    for (int64_t p = from; p < to; ++p) {
      Tile t{};
      t.a = m.source + place * source_place;
      t.a_offset = m.a_offset;
      t.c = m.sums + place * sums_place + panels.first(p) * W;
      t.c_offset = m.c_offset;
      t.segments = &segment;
      t.segment_count = 1;
      t.step = 1;
      t.b = transformed + (place * panels.width() + panels.first(p) * W) * k;
      t.columns = panels.columns_of(p);
      crema::CREMA_ISA::tiles(t, count, panels.size(p));
    }
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
