// conv_direct.cpp: a convolution over vectors of output channels, and the choice between that and the other ways.
#include "../conv_planes.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kDepth = 256;       // steps between visits to C: a panel of B of this depth stays in L1 or L2
constexpr int64_t kMostPixels = 512;  // of a block
constexpr int64_t kFewPixels = 64;

// A convolution over packed weights.
struct Direct : Convolution {
  explicit Direct(const Convolution& c) : Convolution(c) {}
  // Steps of the sum between two visits to C, as equal as can be.
  int64_t depth() const {
    const int64_t steps = this->steps(), parts = (steps + kDepth - 1) / kDepth;
    return parts == 0 ? 1 : (steps + parts - 1) / parts;
  }
  Blocks blocks() const {
    int64_t pixels = layout.outputs() / (2 * threads);
    pixels = pixels < kFewPixels ? kFewPixels : pixels > kMostPixels ? kMostPixels : pixels;
    return Blocks(layout, pixels);
  }
};

struct Workspace {
  int64_t source, offsets, segments;  // bytes of each part

  explicit Workspace(const Direct& d, const Blocks& b)
      : source(float_bytes(b.source_floats())),
        offsets(round_up(b.pixels() * 8, 64)),
        segments(round_up(segment_bound(d.layout, d.k, d.depth()) * static_cast<int64_t>(sizeof(Segment)), 64)) {}
  int64_t bytes() const { return source + 2 * offsets + segments; }
};

// Panels [first, last) of one block.
void run_block(const Direct& d, const Block& block, int64_t first, int64_t last, const Workspace& workspace,
               char* scratch) {
  float* const source = reinterpret_cast<float*>(scratch);
  int64_t* const x_offset = reinterpret_cast<int64_t*>(scratch + workspace.source);
  int64_t* const y_offset = reinterpret_cast<int64_t*>(scratch + workspace.source + workspace.offsets);
  Segment* const segments = reinterpret_cast<Segment*>(scratch + workspace.source + 2 * workspace.offsets);
  const Axis &rows = d.layout.rows, &columns = d.layout.columns;
  const View v = view(d.layout, block, d.x, source, 1);
  const int64_t steps = d.steps(), depth = d.depth();
  segments_of(d.layout, v, d.k, depth, segments);
  const int64_t outputs = d.groups * d.n;
  int64_t pixel = 0;
  for (int64_t i = 0; i < block.images; ++i) {
    for (int64_t r = 0; r < block.rows; ++r) {
      const int64_t from = i * v.image_stride + r * rows.stride * v.row_stride;
      const int64_t to = ((block.image + i) * d.y_h + rows.target_first + (block.row + r) * rows.target_step) * d.y_w +
                         columns.target_first + block.column * columns.target_step;
      for (int64_t q = 0; q < block.columns; ++q, ++pixel) {
        x_offset[pixel] = from + q * columns.stride * v.pixel_stride;
        y_offset[pixel] = (to + q * columns.target_step) * outputs;
      }
    }
  }
  const Panels panels(d.n);
  for (int64_t p = first; p < last; ++p) {
    const int64_t group = p / panels.count, panel = p % panels.count;
    const int64_t column = group * d.n + panels.first(panel) * W;
    Tile t{};
    t.a = v.data + group * d.k;
    t.a_offset = x_offset;
    t.c = d.y + column;
    t.c_offset = y_offset;
    t.step = 1;
    t.columns = panels.columns_of(panel);
    t.bias = d.bias == nullptr ? nullptr : d.bias + column;
    t.segments = segments;
    t.b = d.packed + (group * panels.width() + panels.first(panel) * W) * steps;
    const int64_t width = panels.size(panel) * W;
    int64_t done = 0;
    do {
      const int64_t begin = done, end = done + depth < steps ? done + depth : steps;
      t.segment_count = 0;
      while (done < end) done += t.segments[t.segment_count++].length;
      t.relu = d.activation == kRelu && end == steps;
      tiles(t, pixel, panels.size(panel));
      t.segments += t.segment_count;
      t.b += (end - begin) * width;
      t.accumulate = true;
    } while (done < steps);
    if (d.activation != kNone && d.activation != kRelu) {
      for (int64_t i = 0; i < pixel; ++i) apply_activation(d.activation, t.c + y_offset[i], t.columns);
    }
  }
}

int64_t direct_scratch(const Direct& d) { return d.threads * Workspace(d, d.blocks()).bytes(); }

void direct(const Direct& d, char* scratch) {
  const Blocks blocks = d.blocks();
  const Workspace workspace(d, blocks);
  const int64_t panels = Panels(d.n).count * d.groups, count = blocks.count();
  if (count == 0 || panels == 0) return;
  // Few blocks (one small image): threads share a block's columns.
  int64_t shares = count >= 2 * d.threads ? 1 : (2 * d.threads + count - 1) / count;
  if (shares > panels) shares = panels;
  const int64_t work = blocks.pixels() * (d.steps() + 1) * d.n * d.groups / shares;
  parallel(d.threads, count * shares, grain_of(work), [&](int64_t begin, int64_t end, int64_t chunk) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t share = i % shares;
      run_block(d, blocks.at(i / shares), panels * share / shares, panels * (share + 1) / shares, workspace,
                scratch + chunk * workspace.bytes());
    }
  });
}

int64_t packed_floats(const Convolution& c) {
  return panel_floats(c.groups, c.layout.rows.taps * c.layout.columns.taps, c.k, c.n);
}

void panels_of(const Convolution& c, float* to) {
  pack_panels(c.w, c.layout.rows, c.layout.columns, c.groups, c.k, c.n, c.threads, to);
}

// Row-major weights of one full panel are packed as they are.
bool packed_already(const Direct& d) {
  const Panels panels(d.n);
  const bool in_order =
      d.w.n == 1 && d.w.k == d.n && d.layout.rows.weight_step == 1 && d.layout.columns.weight_step == 1;
  return in_order && d.groups == 1 && panels.count == 1 && panels.width() == d.n;
}

}  // namespace

bool has_winograd(const Convolution& c) { return c.groups == 1 && winograd_pays(c.layout, c.k, c.n); }

int64_t convolve_scratch(const Convolution& c) {
  if (has_winograd(c)) return winograd_scratch(c);
  if (planes_pay(c.layout, c.groups, c.k, c.n)) return planar_scratch(c);
  const Direct d(c);
  return (d.is_packed || packed_already(d) ? 0 : float_bytes(packed_floats(d))) + direct_scratch(d);
}

void convolve(const Convolution& c, char* scratch) {
  if (has_winograd(c)) return winograd(c, scratch);
  if (planes_pay(c.layout, c.groups, c.k, c.n)) return planar(c, scratch);
  Direct d(c);
  if (!d.is_packed && packed_already(d)) {
    d.packed = d.w.data;
  } else if (!d.is_packed) {
    float* const packed = reinterpret_cast<float*>(scratch);
    scratch += float_bytes(packed_floats(d));
    panels_of(d, packed);
    d.packed = packed;
  }
  direct(d, scratch);
}

void pack_convolution(const Convolution& c, float* to) {
  if (has_winograd(c)) {
    winograd_filters(c, to);
  } else {
    panels_of(c, to);
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
