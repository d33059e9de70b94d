// conv.cpp: conv2d and conv2d_input_grad (which is also the transposed convolution), channels last.
//
// conv2d:            x [n, h, w, cin], weight [kh, kw, cin / groups, cout], bias [cout]? -> y [n, oh, ow, cout]
// conv2d_input_grad: dy [n, oh, ow, cout], weight, bias [cin]? -> dx [n, h, w, cin]
// ints as ConvAttributes. Rank-3 tensors are images of one row. Every output is one sum in a fixed order,
// made by one thread: the same bits for every thread count and batch size.
//
// A convolution runs in one of four ways, by its sizes but not the batch's: over vectors of output channels (here), by
// fewer multiplications (conv_winograd.cpp), over vectors of pixels (conv_planar.cpp) or tap by tap (conv_taps.cpp).
//
// The input gradient is a convolution of dy too: for each of the stride_h * stride_w phases of input
// positions a dense one with those taps that can meet them.
#include "../conv_planes.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kDepth = 256;       // steps between visits to C: a panel of B of this depth stays in L1 or L2
constexpr int64_t kMostPixels = 512;  // of a block
constexpr int64_t kFewPixels = 64;

// A convolution over packed weights.
struct Direct : Convolution {
  const float* packed = nullptr;

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

int64_t packed_floats(const Direct& d) { return d.groups * Panels(d.n).width() * d.steps(); }

// Panels of [steps][columns of the panel], zero in the columns past n.
void pack(const Direct& d, float* packed) {
  const Weights& w = d.w;
  const Panels panels(d.n);
  const int64_t steps = d.steps(), taps = d.layout.rows.taps * d.layout.columns.taps;
  const int64_t work = d.k * panels.width();
  parallel(d.threads, d.groups * taps, 1 + (1 << 16) / (work + 1), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t group = i / taps, tap = i % taps;
      const Axis &rows = d.layout.rows, &columns = d.layout.columns;
      const float* const from = w.data + group * w.group +
                                (rows.weight_first + tap / columns.taps * rows.weight_step) * w.row +
                                (columns.weight_first + tap % columns.taps * columns.weight_step) * w.column;
      for (int64_t p = 0; p < panels.count; ++p) {
        const int64_t first = panels.first(p) * W, width = panels.size(p) * W, n = panels.columns_of(p);
        float* to = packed + (group * panels.width() + first) * steps + tap * d.k * width;
        for (int64_t k = 0; k < d.k; ++k, to += width) {
          const float* const row = from + k * w.k + first * w.n;
          if (w.n == 1) {
            std::memcpy(to, row, static_cast<size_t>(n) * sizeof(float));
          } else {
            for (int64_t j = 0; j < n; ++j) to[j] = row[j * w.n];
          }
          for (int64_t j = n; j < width; ++j) to[j] = 0.0f;
        }
      }
    }
  });
}

bool is_depthwise(const Filter& w, const ConvAttributes& a) { return w.in == 1 && a.groups > 1; }

Convolution forward_of(const Call& c) {
  const Images x(c.in[0]), y(c.out[0]);
  const Filter w(c.in[1]);
  const ConvAttributes a(c);
  Convolution d;
  d.layout = forward_layout(x, y, w, a);
  d.groups = a.groups;
  d.k = w.in;
  d.n = w.out / a.groups;
  d.x = c.in[0].f32();
  d.w = Weights{c.in[1].f32(), w.w * w.in * w.out, w.in * w.out, d.n, w.out, 1};
  d.bias = c.ins > 2 && c.in[2].present() ? c.in[2].f32() : nullptr;
  d.activation = a.activation;
  d.y = c.out[0].f32();
  d.y_h = d.layout.images == y.n && d.layout.rows.outputs == y.h ? y.h : 1;
  d.y_w = d.layout.columns.outputs;
  d.threads = c.threads;
  return d;
}

Depthwise depthwise_of(const Call& c) {
  const Images x(c.in[0]), y(c.out[0]);
  const Filter w(c.in[1]);
  const ConvAttributes a(c);
  Depthwise d;
  d.layout.images = x.n;
  d.layout.channels = x.c;
  d.layout.rows = Axis{x.h, y.h, a.stride_h, -a.top, w.h, a.dilation_h, 0, 1, 0, 1};
  d.layout.columns = Axis{x.w, y.w, a.stride_w, -a.left, w.w, a.dilation_w, 0, 1, 0, 1};
  d.repeat = w.out / a.groups;
  d.x = c.in[0].f32();
  d.w = c.in[1].f32();
  d.filter_w = w.w;
  d.bias = c.ins > 2 && c.in[2].present() ? c.in[2].f32() : nullptr;
  d.activation = a.activation;
  d.y = c.out[0].f32();
  d.y_h = y.h;
  d.y_w = y.w;
  d.threads = c.threads;
  return d;
}

// Row-major weights of one full panel are packed as they are.
bool packed_already(const Direct& d) {
  const Panels panels(d.n);
  const bool in_order =
      d.w.n == 1 && d.w.k == d.n && d.layout.rows.weight_step == 1 && d.layout.columns.weight_step == 1;
  return in_order && d.groups == 1 && panels.count == 1 && panels.width() == d.n;
}

bool has_winograd(const Convolution& c) { return c.groups == 1 && winograd_pays(c.layout, c.k, c.n); }

int64_t scratch_of(const Convolution& c) {
  if (has_winograd(c)) return winograd_scratch(c);
  if (planes_pay(c.layout, c.groups, c.k, c.n)) return planar_scratch(c);
  const Direct d(c);
  return (packed_already(d) ? 0 : float_bytes(packed_floats(d))) + direct_scratch(d);
}

void convolve(const Convolution& c, char* scratch) {
  if (has_winograd(c)) return winograd(c, scratch);
  if (planes_pay(c.layout, c.groups, c.k, c.n)) return planar(c, scratch);
  Direct d(c);
  if (packed_already(d)) {
    d.packed = d.w.data;
  } else {
    float* const packed = reinterpret_cast<float*>(scratch);
    scratch += float_bytes(packed_floats(d));
    pack(d, packed);
    d.packed = packed;
  }
  direct(d, scratch);
}

// The whole call tap by tap: conv2d, or its gradient in the input.
TapProducts by_taps(const Call& c, bool gradient) {
  const Tensor &source = gradient ? c.out[0] : c.in[0], &outputs = gradient ? c.in[0] : c.out[0];
  const Filter w(c.in[1]);
  const ConvAttributes a(c);
  const Images x(source), y(outputs);
  TapProducts t;
  t.images = x.n;
  t.rows = Axis{x.h, y.h, a.stride_h, -a.top, w.h, a.dilation_h, 0, 1, 0, 1};
  t.columns = Axis{x.w, y.w, a.stride_w, -a.left, w.w, a.dilation_w, 0, 1, 0, 1};
  t.gradient = gradient;
  t.groups = a.groups;
  t.k = gradient ? w.out / a.groups : w.in;
  t.n = gradient ? w.in : w.out / a.groups;
  t.a = c.in[0].f32();
  t.w = Weights{c.in[1].f32(),    w.w * w.in * w.out,   w.in * w.out,
                w.out / a.groups, gradient ? 1 : w.out, gradient ? w.out : 1};
  t.bias = c.ins > 2 && c.in[2].present() ? c.in[2].f32() : nullptr;
  t.activation = a.activation;
  t.c = c.out[0].f32();
  t.threads = c.threads;
  return t;
}

// Whether products with padding cost more than to visit the outputs once a tap, which takes the time of about 4 steps
// of the sum. `products`: output pixels times taps of the other way.
bool taps_pay(const TapProducts& t, int64_t products) {
  return static_cast<double>(t.pairs()) * (1 + 4.0 / static_cast<double>(t.k)) < 0.85 * static_cast<double>(products);
}

int64_t products_of(const Convolution& c) { return c.layout.outputs() * c.layout.rows.taps * c.layout.columns.taps; }

bool forward_by_taps(const Call& c, const Convolution& d) {
  return !has_winograd(d) && !planes_pay(d.layout, d.groups, d.k, d.n) && taps_pay(by_taps(c, false), products_of(d));
}

int64_t conv2d_scratch(const Call& c) {
  if (is_depthwise(Filter(c.in[1]), ConvAttributes(c))) return depthwise_scratch(depthwise_of(c));
  const Convolution d = forward_of(c);
  return forward_by_taps(c, d) ? tap_products_scratch(by_taps(c, false)) : scratch_of(d);
}

void conv2d(const Call& c) {
  if (is_depthwise(Filter(c.in[1]), ConvAttributes(c))) return depthwise(depthwise_of(c), c.scratch);
  const Convolution d = forward_of(c);
  if (d.layout.outputs() == 0) return;
  if (forward_by_taps(c, d)) return tap_products(by_taps(c, false), c.scratch);
  convolve(d, c.scratch);
}

// The convolution for inputs of one phase along each axis.
Convolution input_grad_of(const Call& c, int64_t phase_h, int64_t phase_w) {
  const Images dy(c.in[0]), dx(c.out[0]);
  const Filter w(c.in[1]);
  const ConvAttributes a(c);
  Convolution d;
  d.layout.images = dy.n;
  d.layout.channels = dy.c;
  d.layout.rows = gradient_axis(dx.h, dy.h, w.h, a.stride_h, a.dilation_h, a.top, phase_h);
  d.layout.columns = gradient_axis(dx.w, dy.w, w.w, a.stride_w, a.dilation_w, a.left, phase_w);
  d.groups = a.groups;
  d.k = w.out / a.groups;
  d.n = w.in;
  d.x = c.in[0].f32();
  d.w = Weights{c.in[1].f32(), w.w * w.in * w.out, w.in * w.out, d.k, 1, w.out};
  d.bias = c.ins > 2 && c.in[2].present() ? c.in[2].f32() : nullptr;
  d.activation = a.activation;
  d.y = c.out[0].f32();
  d.y_h = dx.h;
  d.y_w = dx.w;
  d.threads = c.threads;
  return d;
}

template <typename F>
void each_phase(const Call& c, const F& f) {
  const ConvAttributes a(c);
  for (int64_t h = 0; h < a.stride_h; ++h) {
    for (int64_t w = 0; w < a.stride_w; ++w) {
      const Convolution d = input_grad_of(c, h, w);
      if (d.layout.rows.outputs > 0 && d.layout.columns.outputs > 0) f(d);
    }
  }
}

// One filter a channel: the phases are depthwise too.
bool is_depthwise_grad(const Call& c) {
  const Filter w(c.in[1]);
  const ConvAttributes a(c);
  return is_depthwise(w, a) && w.out == a.groups;
}

Depthwise depthwise_phase(const Call& c, const Convolution& d) {
  const Filter w(c.in[1]);
  Depthwise p;
  p.layout = d.layout;
  p.x = d.x;
  p.w = c.in[1].f32();
  p.filter_w = w.w;
  p.bias = d.bias;
  p.activation = d.activation;
  p.y = d.y;
  p.y_h = d.y_h;
  p.y_w = d.y_w;
  p.threads = d.threads;
  return p;
}

bool gradient_by_taps(const Call& c) {
  if (is_depthwise_grad(c)) return false;
  int64_t products = 0;
  bool other = false;
  each_phase(c, [&](const Convolution& d) {
    products += products_of(d);
    other = other || has_winograd(d) || planes_pay(d.layout, d.groups, d.k, d.n);
  });
  return !other && taps_pay(by_taps(c, true), products);
}

int64_t input_grad_scratch(const Call& c) {
  if (gradient_by_taps(c)) return tap_products_scratch(by_taps(c, true));
  int64_t most = 0;
  each_phase(c, [&](const Convolution& d) {
    const int64_t bytes = is_depthwise_grad(c) ? depthwise_scratch(depthwise_phase(c, d)) : scratch_of(d);
    if (bytes > most) most = bytes;
  });
  return most;
}

void input_grad(const Call& c) {
  if (c.out[0].elements() == 0) return;
  if (gradient_by_taps(c)) return tap_products(by_taps(c, true), c.scratch);
  each_phase(c, [&](const Convolution& d) {
    if (is_depthwise_grad(c)) return depthwise(depthwise_phase(c, d), c.scratch);
    convolve(d, c.scratch);
  });
}

}  // namespace

CREMA_KERNEL_SCRATCH(conv2d, conv2d_scratch) { conv2d(c); }
CREMA_KERNEL_SCRATCH(conv2d_input_grad, input_grad_scratch) { input_grad(c); }
CREMA_KERNEL_SCRATCH(conv_transpose2d, input_grad_scratch) { input_grad(c); }

}  // namespace CREMA_ISA
}  // namespace crema
