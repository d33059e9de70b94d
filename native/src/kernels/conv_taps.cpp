// conv_taps.cpp: convolution tap by tap. The weights of a tap are a matrix of k x n; the tile of convolution adds its
// product with the pixels that the tap reads to the pixels that it writes, where both lie.
#include "../conv.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kPixels = 512;         // of a block, on the larger side
constexpr int64_t kBlockFloats = 65536;  // of a block, both sides: a quarter of an L2 cache of 1 MB

struct Range {
  int64_t first, last;
  int64_t size() const { return last > first ? last - first : 0; }
};

// The outputs for which a tap lies inside the source.
Range inside(const Axis& a, int64_t tap) {
  const int64_t at = a.origin + tap * a.tap_step;
  Range r{at >= 0 ? 0 : (-at + a.stride - 1) / a.stride, at >= a.source ? 0 : (a.source - 1 - at) / a.stride + 1};
  if (r.last > a.outputs) r.last = a.outputs;
  return r;
}

int64_t pairs_of(const Axis& a) {
  int64_t sum = 0;
  for (int64_t t = 0; t < a.taps; ++t) sum += inside(a, t).size();
  return sum;
}

struct Geometry {
  int64_t source, outputs;  // pixels of an image
  int64_t a_channels, c_channels;
  int64_t images, blocks;   // images of a block
  int64_t panels;           // of all groups
  int64_t steps;            // of a sum over all taps
  int64_t packed, offsets;  // bytes; of offsets: of each thread, twice

  explicit Geometry(const TapProducts& t)
      : source(t.rows.source * t.columns.source),
        outputs(t.rows.outputs * t.columns.outputs),
        a_channels(t.groups * t.k),
        c_channels(t.groups * t.n),
        panels(t.groups * Panels(t.n).count) {
    const int64_t most = source > outputs ? source : outputs;
    const int64_t floats = (t.gradient ? outputs : source) * a_channels + (t.gradient ? source : outputs) * c_channels;
    images = kPixels / (most < 1 ? 1 : most);
    if (images > kBlockFloats / (floats < 1 ? 1 : floats)) images = kBlockFloats / (floats < 1 ? 1 : floats);
    if (images * 2 * t.threads > t.images) images = t.images / (2 * t.threads);
    if (images < 1) images = 1;
    blocks = (t.images + images - 1) / images;
    steps = t.rows.taps * t.columns.taps * t.k;
    packed = t.is_packed ? 0 : float_bytes(panel_floats(t.groups, t.rows.taps * t.columns.taps, t.k, t.n));
    offsets = round_up(images * outputs * 8, 64);
  }
};

// Panels [first, last) of the images [image, image + count).
void run_block(const TapProducts& t, const Geometry& g, int64_t image, int64_t count, int64_t first, int64_t last,
               const float* packed, int64_t* a_offset, int64_t* c_offset) {
  const Panels panels(t.n);
  const auto column = [&](int64_t p) { return p / panels.count * t.n + panels.first(p % panels.count) * W; };
  const int64_t c_pixels = t.gradient ? g.source : g.outputs, a_pixels = t.gradient ? g.outputs : g.source;
  const float* const a = t.a + image * a_pixels * g.a_channels;
  float* const c = t.c + image * c_pixels * g.c_channels;
  const int64_t begin = column(first), end = last == g.panels ? g.c_channels : column(last);
  for (int64_t i = 0; i < count * c_pixels; ++i) {
    float* const to = c + i * g.c_channels + begin;
    if (t.bias == nullptr) {
      std::memset(to, 0, static_cast<size_t>(end - begin) * sizeof(float));
    } else {
      std::memcpy(to, t.bias + begin, static_cast<size_t>(end - begin) * sizeof(float));
    }
  }
  const Segment segment{0, t.k};
  for (int64_t y = 0; y < t.rows.taps; ++y) {
    for (int64_t x = 0; x < t.columns.taps; ++x) {
      const Range rows = inside(t.rows, y), columns = inside(t.columns, x);
      int64_t pixels = 0;
      for (int64_t i = 0; i < count; ++i) {
        for (int64_t r = rows.first; r < rows.last; ++r) {
          const int64_t line = i * g.source +
                               (t.rows.origin + r * t.rows.stride + y * t.rows.tap_step) * t.columns.source +
                               t.columns.origin + x * t.columns.tap_step;
          const int64_t output = i * g.outputs + r * t.columns.outputs;
          for (int64_t q = columns.first; q < columns.last; ++q, ++pixels) {
            const int64_t source = line + q * t.columns.stride;
            a_offset[pixels] = (t.gradient ? output + q : source) * g.a_channels;
            c_offset[pixels] = (t.gradient ? source : output + q) * g.c_channels;
          }
        }
      }
      if (pixels == 0) continue;
      const int64_t step = (y * t.columns.taps + x) * t.k;
      for (int64_t p = first; p < last; ++p) {
        const int64_t group = p / panels.count, panel = p % panels.count;
        Tile tile{};
        tile.a = a + group * t.k;
        tile.a_offset = a_offset;
        tile.c = c + column(p);
        tile.c_offset = c_offset;
        tile.segments = &segment;
        tile.segment_count = 1;
        tile.step = 1;
        tile.b = packed + (group * panels.width() + panels.first(panel) * W) * g.steps + step * panels.size(panel) * W;
        tile.columns = panels.columns_of(panel);
        tile.accumulate = true;
        tiles(tile, pixels, panels.size(panel));
      }
    }
  }
  if (t.activation == kNone) return;
  for (int64_t i = 0; i < count * c_pixels; ++i) {
    apply_activation(t.activation, c + i * g.c_channels + begin, end - begin);
  }
}

}  // namespace

int64_t TapProducts::pairs() const { return images * pairs_of(rows) * pairs_of(columns); }

int64_t tap_products_scratch(const TapProducts& t) {
  const Geometry g(t);
  return g.packed + t.threads * 2 * g.offsets;
}

void tap_products(const TapProducts& t, char* scratch) {
  const Geometry g(t);
  float* const own = reinterpret_cast<float*>(scratch);
  if (!t.is_packed) pack_panels(t.w, t.rows, t.columns, t.groups, t.k, t.n, t.threads, own);
  const float* const packed = t.is_packed ? t.packed : own;
  // Few images: threads share their columns.
  int64_t shares = g.blocks >= 2 * t.threads ? 1 : (2 * t.threads + g.blocks - 1) / (g.blocks < 1 ? 1 : g.blocks);
  if (shares > g.panels) shares = g.panels;
  const int64_t work = t.pairs() * t.k * g.c_channels / (g.blocks * shares < 1 ? 1 : g.blocks * shares);
  parallel(t.threads, g.blocks * shares, grain_of(work), [&](int64_t begin, int64_t end, int64_t chunk) {
    int64_t* const a_offset = reinterpret_cast<int64_t*>(scratch + g.packed + chunk * 2 * g.offsets);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / shares * g.images, share = i % shares;
      run_block(t, g, image, t.images - image < g.images ? t.images - image : g.images, g.panels * share / shares,
                g.panels * (share + 1) / shares, packed, a_offset, a_offset + g.offsets / 8);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
