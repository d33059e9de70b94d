// conv.cpp: conv2d and conv2d_input_grad (which is also the transposed convolution), channels last.
//
// conv2d:            x [n, h, w, cin], weight [kh, kw, cin / groups, cout], bias [cout]?, weight as pack_filter stores it?
//                    -> y [n, oh, ow, cout]
// conv2d_input_grad: dy [n, oh, ow, cout], weight, bias [cin]? -> dx [n, h, w, cin]
// ints as ConvAttributes. Rank-3 tensors are images of one row. Every output is one sum in a fixed order,
// made by one thread: the same bits for every thread count and batch size.
//
// A convolution runs in one of four ways, by its sizes but not the batch's: over vectors of output channels
// (conv_direct.cpp), by fewer multiplications (conv_winograd.cpp), over vectors of pixels (conv_planar.cpp) or tap by tap
// (conv_taps.cpp).
//
// The input gradient is a convolution of dy too: for each of the stride_h * stride_w phases of input
// positions a dense one with those taps that can meet them.
#include "../conv_planes.h"
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

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
  d.is_packed = c.ins > 3 && c.in[3].present();
  d.packed = d.is_packed ? c.in[3].f32() : nullptr;
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
  t.is_packed = !gradient && c.ins > 3 && c.in[3].present();
  t.packed = t.is_packed ? c.in[3].f32() : nullptr;
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
  return forward_by_taps(c, d) ? tap_products_scratch(by_taps(c, false)) : convolve_scratch(d);
}

void conv2d(const Call& c) {
  if (is_depthwise(Filter(c.in[1]), ConvAttributes(c))) return depthwise(depthwise_of(c), c.scratch);
  const Convolution d = forward_of(c);
  if (d.layout.outputs() == 0) return;
  if (forward_by_taps(c, d)) return tap_products(by_taps(c, false), c.scratch);
  convolve(d, c.scratch);
}

// pack_filter: weights for conv2d as it multiplies them at these extents. in: packed (written in place; as many floats
// as PackFilter says, or more), weight; ints: those of conv2d, then h, w and the padding at the bottom and the right.
void pack_filter(const Call& c) {
  const Tensor& w = c.in[1];
  const Filter filter(w);
  const ConvAttributes a(c);
  if (is_depthwise(filter, a)) return;
  Tensor x, y;
  x.type = y.type = CREMA_FLOAT32;
  x.rank = y.rank = 4;
  const int64_t h = c.ints[8], width = c.ints[9];
  const int64_t oh = (h + a.top + c.ints[10] - (filter.h - 1) * a.dilation_h - 1) / a.stride_h + 1;
  const int64_t ow = (width + a.left + c.ints[11] - (filter.w - 1) * a.dilation_w - 1) / a.stride_w + 1;
  const int64_t x_dims[] = {1, h, width, filter.in * a.groups}, y_dims[] = {1, oh, ow, filter.out};
  for (int i = 0; i < 4; ++i) {
    x.dim[i] = x_dims[i];
    y.dim[i] = y_dims[i];
  }
  const Tensor in[] = {x, w};
  Call one = c;
  one.in = in;
  one.ins = 2;
  one.out = &y;
  one.outs = 1;
  pack_convolution(forward_of(one), c.in[0].f32());
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

// Whether the gradient tap by tap, as in taps_pay, takes fewer cycles: it has no products with the wide padding of dy.
bool taps_beat_winograd(const Call& c, const Convolution& d) {
  const TapProducts t = by_taps(c, true);
  const double vectors = static_cast<double>((t.n + W - 1) / W);
  return static_cast<double>(t.pairs()) * (static_cast<double>(t.k) + 4) * 0.5 * vectors / 0.9 <
         winograd_cycles(d.layout, d.k, d.n);
}

bool gradient_by_taps(const Call& c) {
  if (is_depthwise_grad(c)) return false;
  int64_t products = 0;
  bool other = false;
  each_phase(c, [&](const Convolution& d) {
    products += products_of(d);
    other = other || (has_winograd(d) && !taps_beat_winograd(c, d)) || planes_pay(d.layout, d.groups, d.k, d.n);
  });
  return !other && taps_pay(by_taps(c, true), products);
}

// The gradient as winograd_input has it; stride 1.
Convolution by_tiles(const Call& c) {
  Convolution d = input_grad_of(c, 0, 0);
  d.layout = forward_layout(Images(c.out[0]), Images(c.in[0]), Filter(c.in[1]), ConvAttributes(c));
  return d;
}

// Whether that takes clearly fewer cycles than every other way.
bool gradient_by_tiles(const Call& c) {
  const ConvAttributes a(c);
  if (a.groups != 1 || a.stride_h != 1 || a.stride_w != 1) return false;
  Convolution tiled = by_tiles(c), other = input_grad_of(c, 0, 0);
  tiled.layout.images = other.layout.images = 1;  // whatever the batch
  if (!winograd_fits(tiled.layout) || planes_pay(other.layout, 1, other.k, other.n)) return false;
  TapProducts taps = by_taps(c, true);
  taps.images = 1;
  const double vectors = static_cast<double>((other.n + W - 1) / W), sum = static_cast<double>(other.k);
  double least = static_cast<double>(products_of(other)) * sum;
  const double visited = static_cast<double>(taps.pairs()) * (sum + 4);
  if (visited < least) least = visited;
  least *= 0.5 * vectors / 0.9;
  if (has_winograd(other)) {
    const double cycles = winograd_cycles(other.layout, other.k, other.n);
    if (cycles < least) least = cycles;
  }
  return winograd_input_cycles(tiled.layout, tiled.k, tiled.n) < 0.85 * least;
}

int64_t input_grad_scratch(const Call& c) {
  if (gradient_by_tiles(c)) return winograd_scratch(by_tiles(c));
  if (gradient_by_taps(c)) return tap_products_scratch(by_taps(c, true));
  int64_t most = 0;
  each_phase(c, [&](const Convolution& d) {
    const int64_t bytes = is_depthwise_grad(c) ? depthwise_scratch(depthwise_phase(c, d)) : convolve_scratch(d);
    if (bytes > most) most = bytes;
  });
  return most;
}

void input_grad(const Call& c) {
  if (c.out[0].elements() == 0) return;
  if (gradient_by_tiles(c)) return winograd_input(by_tiles(c), c.scratch);
  if (gradient_by_taps(c)) return tap_products(by_taps(c, true), c.scratch);
  each_phase(c, [&](const Convolution& d) {
    if (is_depthwise_grad(c)) return depthwise(depthwise_phase(c, d), c.scratch);
    convolve(d, c.scratch);
  });
}

}  // namespace

CREMA_KERNEL_SCRATCH(conv2d, conv2d_scratch) { conv2d(c); }
CREMA_KERNEL(pack_filter) { pack_filter(c); }
CREMA_KERNEL_SCRATCH(conv2d_input_grad, input_grad_scratch) { input_grad(c); }
CREMA_KERNEL_SCRATCH(conv_transpose2d, input_grad_scratch) { input_grad(c); }

}  // namespace CREMA_ISA
}  // namespace crema
