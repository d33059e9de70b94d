// conv.h: the parts of channels-last convolution. Every product of convolution (forward, input gradient,
// transposed convolution, weight gradient) is one register tile run over pixels in place: the rows of A are
// addresses in the image, the steps of the sum are runs of memory that all rows share. Nothing is unfolded;
// only blocks that touch the padding are copied once into scratch memory with their zeros around them.
#pragma once

#include "gemm.h"

namespace crema {
namespace CREMA_ISA {

// `length` consecutive steps of a sum; at step i a row's factor is row[offset + i * step].
struct Segment {
  int64_t offset, length;
};

// C[r][:] (+)= sum over steps of A[r][step] * B[step][:] for a few rows and up to 4 vectors of columns.
struct Tile {
  const float* a;
  const int64_t* a_offset;  // per row
  float* c;
  const int64_t* c_offset;  // per row
  const Segment* segments;
  int64_t segment_count;
  int64_t step;       // floats between the steps of a segment
  const float* b;     // [steps][vectors * W]
  int64_t columns;    // of C: above (vectors - 1) * W, at most vectors * W
  const float* bias;  // `columns` floats to start from, or null: zero; not with accumulate
  bool accumulate;    // start from C
  bool relu;          // max(., 0) before the store
};

// Columns of C are cut into panels of up to 4 vectors (2 where there are 16 registers), as equal as can be.
struct Panels {
  int64_t columns = 0, vectors = 0, count = 0;

  explicit Panels(int64_t columns);
  int64_t width() const { return vectors * W; }                           // columns with their padding
  int64_t first(int64_t panel) const { return vectors * panel / count; }  // in vectors
  int64_t size(int64_t panel) const { return first(panel + 1) - first(panel); }
  int64_t columns_of(int64_t panel) const {
    const int64_t begin = first(panel) * W, end = first(panel + 1) * W;
    return (end < columns ? end : columns) - begin;
  }
};

// Runs a tile over all of `rows` rows, in register blocks. Offsets in `t` are those of row 0.
void tiles(const Tile& t, int64_t rows, int64_t vectors);

// One spatial axis of a sum over taps: output o at tap t reads source[origin + o * stride + t * tap_step]
// (zero outside) with weight weight_first + t * weight_step, and is stored at target_first + o * target_step.
struct Axis {
  int64_t source = 1, outputs = 1, stride = 1, origin = 0;
  int64_t taps = 1, tap_step = 1, weight_first = 0, weight_step = 1;
  int64_t target_first = 0, target_step = 1;

  int64_t span() const { return taps > 0 ? (taps - 1) * tap_step : 0; }
  int64_t extent(int64_t n) const { return (n - 1) * stride + span() + 1; }  // of source under n outputs
};

// An image batch as kernels see it: [n, h, w, c]; a tensor of rank 3 is [n, l, c], images of one row.
struct Images {
  int64_t n, h, w, c;
  explicit Images(const Tensor& t)
      : n(t.dim[0]), h(t.rank == 4 ? t.dim[1] : 1), w(t.dim[t.rank - 2]), c(t.dim[t.rank - 1]) {}
  int64_t pixels() const { return n * h * w; }
};

// The attributes every convolution kernel gets as its ints, in this order. Bottom and right padding
// follow from the shapes.
struct ConvAttributes {
  int64_t stride_h, stride_w, dilation_h, dilation_w, top, left, groups;
  Activation activation;
  explicit ConvAttributes(const Call& c)
      : stride_h(c.ints[0]),
        stride_w(c.ints[1]),
        dilation_h(c.ints[2]),
        dilation_w(c.ints[3]),
        top(c.ints[4]),
        left(c.ints[5]),
        groups(c.ints[6]),
        activation(static_cast<Activation>(c.int_count > 7 ? c.ints[7] : 0)) {}
};

// [kh, kw, inputs of a group, outputs]; rank 3 is [k, inputs, outputs].
struct Filter {
  int64_t h, w, in, out;
  explicit Filter(const Tensor& t)
      : h(t.rank == 4 ? t.dim[0] : 1), w(t.dim[t.rank - 3]), in(t.dim[t.rank - 2]), out(t.dim[t.rank - 1]) {}
  int64_t elements() const { return h * w * in * out; }
};

// Source images and the two axes of the sum.
struct Layout {
  int64_t images = 0, channels = 0;
  Axis rows, columns;
  int64_t outputs() const { return images * rows.outputs * columns.outputs; }
};

Layout forward_layout(const Images& x, const Images& y, const Filter& w, const ConvAttributes& a);
// Axis of the gradient for the inputs at positions ≡ phase - pad (mod stride).
Axis gradient_axis(int64_t inputs, int64_t outputs, int64_t taps, int64_t stride, int64_t dilation, int64_t pad,
                   int64_t phase);

// Weights in memory: element (tap row, tap column, group, k, n) at its strides.
struct Weights {
  const float* data;
  int64_t row, column, group, k, n;
};

// [group][panel][tap][k][columns of the panel], zero in the columns past n: taps row by row, as the axes step through
// the weights.
inline int64_t panel_floats(int64_t groups, int64_t taps, int64_t k, int64_t n) {
  return groups * Panels(n).width() * taps * k;
}
void pack_panels(const Weights& w, const Axis& rows, const Axis& columns, int64_t groups, int64_t k, int64_t n,
                 int32_t threads, float* to);

// One convolution: y[target pixel][g * n + j] = activation(bias + sum over taps and channels).
struct Convolution {
  Layout layout;
  int64_t groups = 1, k = 0, n = 0;  // channels in and out of a group
  const float* x = nullptr;
  Weights w{};
  bool is_packed = false;  // `packed` has the weights as pack_filter stores them
  const float* packed = nullptr;
  const float* bias = nullptr;
  Activation activation = kNone;
  float* y = nullptr;
  int64_t y_h = 0, y_w = 0;
  int32_t threads = 1;

  int64_t steps() const { return layout.rows.taps * layout.columns.taps * k; }
};
// In the way that its sizes make fastest, but for tap by tap (conv_direct.cpp).
int64_t convolve_scratch(const Convolution& c);
void convolve(const Convolution& c, char* scratch);
// The weights as it has them in `packed`: filters of Winograd's, or panels.
void pack_convolution(const Convolution& c, float* to);
// With vectors along pixels (conv_planar.cpp).
int64_t planar_scratch(const Convolution& c);
void planar(const Convolution& c, char* scratch);
// By fewer multiplications (conv_winograd.cpp), whether that pays for k channels in and n out, one group, and an
// estimate of what it takes.
bool winograd_pays(const Layout& layout, int64_t k, int64_t n);
double winograd_cycles(const Layout& layout, int64_t k, int64_t n);
bool has_winograd(const Convolution& c);
int64_t winograd_scratch(const Convolution& c);
void winograd(const Convolution& c, char* scratch);
// The filters as it multiplies them, and their floats.
int64_t winograd_floats(const Convolution& c);
void winograd_filters(const Convolution& c, float* filters);
// The gradient in the inputs by the tiles of the convolution, and the estimate: c has the convolution's layout, dy as
// its x, dx as its y and the weights from dy's k channels to dx's n; scratch as winograd.
double winograd_input_cycles(const Layout& layout, int64_t k, int64_t n);
void winograd_input(const Convolution& c, char* scratch);
bool winograd_grad_pays(const Call& c);
int64_t winograd_grad_scratch(const Call& c);
void winograd_grad(const Call& c);
// Planes for conv2d_weight_grad (conv_planar_grad.cpp), and whether it pays there.
bool planar_grad_pays(const Call& c);
int64_t planar_grad_scratch(const Call& c);
void planar_grad(const Call& c);

// A box of output pixels: whole images, or rows and columns of one.
struct Block {
  int64_t image, images, row, rows, column, columns;
  int64_t pixels() const { return images * rows * columns; }
};

// How outputs are cut into blocks of at most `pixels` pixels whose source fits the L2 cache.
struct Blocks {
  int64_t images, rows, columns;                 // of a full block
  int64_t image_count, row_count, column_count;  // blocks along each axis
  Layout layout;

  Blocks(const Layout& layout, int64_t pixels);
  int64_t count() const { return image_count * row_count * column_count; }
  int64_t pixels() const { return images * rows * columns; }
  Block at(int64_t i) const;
  // Floats of a block's source with its padding.
  int64_t source_floats() const;
};

// Where a block's source lies: at (image, source row, source column) relative to the block's first output at tap 0.
struct View {
  const float* data;
  int64_t image_stride, row_stride, pixel_stride;
};
// The source in place when the block touches no padding, else a copy in `scratch` of source_floats(). Each
// channel is repeated `repeat` times (depthwise convolution with a multiplier).
View view(const Layout& layout, const Block& block, const float* x, float* scratch, int64_t repeat);

// The taps of a view as steps of a sum over `channels` channels; neighbours in memory are merged, and no
// segment crosses a multiple of `depth` steps. Returns their number, at most segment_bound().
int64_t segments_of(const Layout& layout, const View& view, int64_t channels, int64_t depth, Segment* segments);
int64_t segment_bound(const Layout& layout, int64_t channels, int64_t depth);

// Convolution with one filter a channel: layout.channels * repeat outputs; weights [taps..., outputs].
struct Depthwise {
  Layout layout;
  int64_t repeat = 1;
  const float* x = nullptr;
  const float* w = nullptr;
  int64_t filter_w = 1;  // columns of the filter in memory
  const float* bias = nullptr;
  Activation activation = kNone;
  float* y = nullptr;
  int64_t y_h = 0, y_w = 0;
  int32_t threads = 1;
};
int64_t depthwise_scratch(const Depthwise& d);
void depthwise(const Depthwise& d, char* scratch);

// dw[tap][o] (+)= sum over a block's pixels of x[pixel at tap][o] * dy[pixel][o], for `taps` taps at x_offset.
struct DepthwiseGrad {
  View x;
  int64_t row_stride, column_stride;  // of outputs, in source pixels
  Block block;
  const float* dy;           // of the block's first pixel
  int64_t dy_image, dy_row;  // floats
  int64_t outputs, taps;
  const int64_t* x_offset;  // floats per tap
  float* dw;
  bool accumulate;
};
void depthwise_weight_grad(const DepthwiseGrad& g);

// A convolution or its gradient as one product a tap, which adds to the outputs that the tap has inside the image: no
// product with padding, where most of a small image's would be.
struct TapProducts {
  int64_t images = 0;
  Axis rows, columns;     // of the convolution: output o meets source position origin + o * stride + t * tap_step
  bool gradient = false;  // from the outputs' side to the source's, else the other way
  int64_t groups = 1, k = 0, n = 0;
  const float* a = nullptr;
  Weights w{};  // of tap (row, column), counted from the first
  bool is_packed = false;  // `packed` has them by pack_panels
  const float* packed = nullptr;
  const float* bias = nullptr;
  Activation activation = kNone;
  float* c = nullptr;
  int32_t threads = 1;

  // Pairs of an output and a source position that some tap joins.
  int64_t pairs() const;
};
int64_t tap_products_scratch(const TapProducts& t);
void tap_products(const TapProducts& t, char* scratch);

CREMA_INLINE int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
CREMA_INLINE int64_t float_bytes(int64_t n) { return round_up(n * 4, 64); }
// Items of work that are worth a thread when one item takes so many multiply-adds.
CREMA_INLINE int64_t grain_of(int64_t multiply_adds) {
  constexpr int64_t kWorth = int64_t{1} << 17;  // some 3 us of vector code: twice what handing it over takes
  return multiply_adds >= kWorth ? 1 : kWorth / (multiply_adds < 1 ? 1 : multiply_adds);
}

}  // namespace CREMA_ISA
}  // namespace crema
