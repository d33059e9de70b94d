// conv_weight_grad.cpp: x [n, h, w, cin], dy [n, oh, ow, cout] -> dw [kh, kw, cin / groups, cout], db [cout]?
// ints as ConvAttributes.
//
// dw = X^T dY over all pixels, where row (tap, channel) of X^T is x read from that tap's place on. Pixels are
// cut into blocks that stay in the L2 cache and blocks into a number of chunks that depends on sizes alone;
// each chunk has a sum of its own and these are added in order. Threads may also share a chunk's rows. So the
// bits are the same for every thread count.
#include "../conv.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kMostChunks = 16;
constexpr int64_t kPartialFloats = int64_t{1} << 20;  // of all chunks together
constexpr int64_t kDyFloats = 65536;                  // of a block of dy

struct WeightGrad {
  Images x, dy;
  Filter w;
  ConvAttributes a;
  Layout layout;
  Blocks blocks;
  Panels panels;  // of a group
  int64_t rows, chunks;

  static int64_t pixels(int64_t cout) {
    const int64_t n = kDyFloats / cout;
    return n < 64 ? 64 : n > 512 ? 512 : n;
  }

  explicit WeightGrad(const Call& c)
      : x(c.in[0]), dy(c.in[1]), w(c.out[0]), a(c), layout(forward_layout(x, dy, w, a)),
        blocks(layout, pixels(w.out)), panels(w.out / a.groups), rows(w.h * w.w * w.in) {
    chunks = kPartialFloats / (w.elements() + w.out);
    if (chunks > kMostChunks) chunks = kMostChunks;
    if (chunks > blocks.count()) chunks = blocks.count();
    if (chunks < 1) chunks = 1;
  }

  // One filter (or `repeat`) a channel: the rows are taps.
  bool depthwise() const { return w.in == 1 && a.groups > 1; }
  int64_t repeat() const { return depthwise() ? w.out / a.groups : 1; }
  int64_t partial() const { return w.elements() + w.out; }
  // Whether dy's rows lie in memory as the tile reads them.
  bool dy_in_place() const {
    return depthwise() || (a.groups == 1 && panels.count == 1 && panels.width() == w.out && blocks.column_count == 1);
  }
};

struct Workspace {
  int64_t source, dy, rows, segments;  // bytes

  explicit Workspace(const WeightGrad& g)
      : source(float_bytes(g.blocks.source_floats() * g.repeat())),
        dy(g.dy_in_place() ? 0 : float_bytes(g.blocks.pixels() * g.a.groups * g.panels.width())),
        rows(round_up(g.rows * 8, 64)),
        segments(round_up(g.blocks.images * g.blocks.rows * static_cast<int64_t>(sizeof(Segment)), 64)) {}
  int64_t bytes() const { return source + dy + 2 * rows + segments; }
};

const float* dy_row(const WeightGrad& g, const Block& b, const float* dy, int64_t image, int64_t row) {
  return dy + (((b.image + image) * g.layout.rows.outputs + b.row + row) * g.layout.columns.outputs + b.column) *
                  g.w.out;
}

// Panels of [pixels][width], the columns past the last zero.
void pack_dy(const WeightGrad& g, const Block& b, const float* dy, float* packed) {
  const int64_t n = g.w.out / g.a.groups;
  for (int64_t group = 0; group < g.a.groups; ++group) {
    for (int64_t p = 0; p < g.panels.count; ++p) {
      const int64_t first = g.panels.first(p) * W, width = g.panels.size(p) * W, columns = g.panels.columns_of(p);
      for (int64_t i = 0; i < b.images; ++i) {
        for (int64_t r = 0; r < b.rows; ++r) {
          const float* from = dy_row(g, b, dy, i, r) + group * n + first;
          for (int64_t q = 0; q < b.columns; ++q, from += g.w.out, packed += width) {
            for (int64_t j = 0; j < columns; ++j) packed[j] = from[j];
            for (int64_t j = columns; j < width; ++j) packed[j] = 0.0f;
          }
        }
      }
    }
  }
}

// The pixels of a block as steps of the sum.
int64_t pixel_segments(const WeightGrad& g, const Block& b, const View& v, int64_t step, Segment* segments) {
  int64_t count = 0;
  for (int64_t i = 0; i < b.images; ++i) {
    for (int64_t r = 0; r < b.rows; ++r) {
      const int64_t offset = i * v.image_stride + r * g.layout.rows.stride * v.row_stride;
      if (count > 0 && segments[count - 1].offset + segments[count - 1].length * step == offset) {
        segments[count - 1].length += b.columns;
      } else {
        segments[count++] = Segment{offset, b.columns};
      }
    }
  }
  return count;
}

void add_rows(const WeightGrad& g, const Block& b, const float* dy, float* db) {
  for (int64_t i = 0; i < b.images; ++i) {
    for (int64_t r = 0; r < b.rows; ++r) {
      const float* row = dy_row(g, b, dy, i, r);
      for (int64_t q = 0; q < b.columns; ++q, row += g.w.out) {
        for (int64_t j = 0; j < g.w.out; ++j) db[j] += row[j];
      }
    }
  }
}

// Adds one block to rows [first, last) of dw.
void add_block(const WeightGrad& g, const Call& c, const Block& b, int64_t first, int64_t last, bool accumulate,
               const Workspace& workspace, char* scratch, float* dw) {
  float* const source = reinterpret_cast<float*>(scratch);
  float* const packed = reinterpret_cast<float*>(scratch + workspace.source);
  int64_t* const x_offset = reinterpret_cast<int64_t*>(scratch + workspace.source + workspace.dy);
  int64_t* const w_offset = x_offset + workspace.rows / 8;
  Segment* const segments = reinterpret_cast<Segment*>(w_offset + workspace.rows / 8);
  const View v = view(g.layout, b, c.in[0].f32(), source, g.repeat());
  const int64_t step = g.layout.columns.stride * v.pixel_stride;
  for (int64_t m = 0, row = 0; m < g.w.h * g.w.w; ++m) {
    const int64_t tap = m / g.w.w * g.layout.rows.tap_step * v.row_stride +
                        m % g.w.w * g.layout.columns.tap_step * v.pixel_stride;
    for (int64_t k = 0; k < g.w.in; ++k, ++row) {
      x_offset[row] = tap + k;
      w_offset[row] = row * g.w.out;
    }
  }
  if (g.depthwise()) {
    const int64_t line = g.dy.w * g.w.out;
    return depthwise_weight_grad(DepthwiseGrad{v, g.layout.rows.stride, g.layout.columns.stride, b,
                                               dy_row(g, b, c.in[1].f32(), 0, 0), g.dy.h * line, line, g.w.out,
                                               last - first, x_offset + first, dw + first * g.w.out, accumulate});
  }
  const float* dy = packed;
  if (g.dy_in_place()) {
    dy = dy_row(g, b, c.in[1].f32(), 0, 0);
  } else {
    pack_dy(g, b, c.in[1].f32(), packed);
  }
  Tile t{};
  t.segments = segments;
  t.segment_count = pixel_segments(g, b, v, step, segments);
  t.step = step;
  t.accumulate = accumulate;
  t.a_offset = x_offset + first;
  t.c_offset = w_offset + first;
  t.b = dy;
  for (int64_t group = 0; group < g.a.groups; ++group) {
    for (int64_t p = 0; p < g.panels.count; ++p) {
      t.a = v.data + group * g.w.in;
      t.c = dw + group * (g.w.out / g.a.groups) + g.panels.first(p) * W;
      t.columns = g.panels.columns_of(p);
      tiles(t, last - first, g.panels.size(p));
      t.b += b.pixels() * g.panels.size(p) * W;
    }
  }
}

int64_t scratch(const Call& c) {
  if (winograd_grad_pays(c)) return winograd_grad_scratch(c);
  if (planar_grad_pays(c)) return planar_grad_scratch(c);
  const WeightGrad g(c);
  return float_bytes((g.chunks - 1) * g.partial()) + c.threads * Workspace(g).bytes();
}

}  // namespace

CREMA_KERNEL_SCRATCH(conv2d_weight_grad, scratch) {
  if (winograd_grad_pays(c)) return winograd_grad(c);
  if (planar_grad_pays(c)) return planar_grad(c);
  const WeightGrad g(c);
  const Workspace workspace(g);
  float* const partials = reinterpret_cast<float*>(c.scratch);
  char* const rest = c.scratch + float_bytes((g.chunks - 1) * g.partial());
  float* const dw = c.out[0].f32();
  float* const db = c.outs > 1 ? c.out[1].f32() : nullptr;
  const int64_t n = g.blocks.count(), elements = g.w.elements();
  if (n == 0) {
    std::memset(dw, 0, static_cast<size_t>(elements) * sizeof(float));
    if (db != nullptr) std::memset(db, 0, static_cast<size_t>(g.w.out) * sizeof(float));
    return;
  }
  // Depthwise: taps are summed a few at a time, and which ones must not depend on the threads either.
  int64_t shares = g.depthwise() || g.chunks >= c.threads ? 1 : (c.threads + g.chunks - 1) / g.chunks;
  if (shares > g.rows) shares = g.rows;
  const int64_t work = g.layout.outputs() * elements / (g.chunks * shares);
  parallel(c.threads, g.chunks * shares, grain_of(work), [&](int64_t begin, int64_t end, int64_t thread) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t chunk = i / shares, share = i % shares;
      float* const to = chunk == 0 ? dw : partials + (chunk - 1) * g.partial();
      float* const bias = db == nullptr || share != 0 ? nullptr : chunk == 0 ? db : to + elements;
      if (bias != nullptr) std::memset(bias, 0, static_cast<size_t>(g.w.out) * sizeof(float));
      const int64_t from = n * chunk / g.chunks;
      for (int64_t b = from; b < n * (chunk + 1) / g.chunks; ++b) {
        const Block block = g.blocks.at(b);
        add_block(g, c, block, g.rows * share / shares, g.rows * (share + 1) / shares, b != from, workspace,
                  rest + thread * workspace.bytes(), to);
        if (bias != nullptr) add_rows(g, block, c.in[1].f32(), bias);
      }
    }
  });
  parallel(c.threads, elements, 1 << 16, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t p = 0; p + 1 < g.chunks; ++p) {
      float* const y = dw + begin;
      each(y, partials + p * g.partial() + begin, y, end - begin, [](vec a, vec b) { return a + b; });
    }
  });
  for (int64_t p = 0; db != nullptr && p + 1 < g.chunks; ++p) {
    for (int64_t j = 0; j < g.w.out; ++j) db[j] += partials[p * g.partial() + elements + j];
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
