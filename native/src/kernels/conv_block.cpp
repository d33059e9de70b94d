// conv_block.cpp: geometry of convolution: axes, blocks of output pixels, their source with padding.
#include "../conv.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kSourceFloats = 65536;  // of a block: a quarter of an L2 cache of 1 MB

int64_t ceil_div(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t greatest(int64_t a, int64_t b) { return a > b ? a : b; }

int64_t divisor(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

}  // namespace

Layout forward_layout(const Images& x, const Images& y, const Filter& w, const ConvAttributes& a) {
  Layout l;
  l.channels = x.c;
  if (w.h == 1 && w.w == 1 && x.h == y.h && x.w == y.w && a.stride_h == 1 && a.stride_w == 1 && a.top == 0 &&
      a.left == 0) {
    l.images = x.pixels() > 0 ? 1 : 0;  // a plain product: one row of all pixels
    l.columns.source = l.columns.outputs = x.pixels();
    return l;
  }
  l.images = x.n;
  l.rows = Axis{x.h, y.h, a.stride_h, -a.top, w.h, a.dilation_h, 0, 1, 0, 1};
  l.columns = Axis{x.w, y.w, a.stride_w, -a.left, w.w, a.dilation_w, 0, 1, 0, 1};
  return l;
}

// Input position p takes dy[o] w[t] for every o, t with o * stride + t * dilation = p + pad. With
// p + pad = stride * u + phase these are the taps with t * dilation ≡ phase, at o = u - (t * dilation - phase) / stride;
// they are visited from the last to the first so that o rises.
Axis gradient_axis(int64_t inputs, int64_t outputs, int64_t taps, int64_t stride, int64_t dilation, int64_t pad,
                   int64_t phase) {
  const int64_t common = divisor(stride, dilation);
  const int64_t period = stride / common;
  int64_t first = 0;
  while (first < period && first * dilation % stride != phase) ++first;
  const int64_t u = ceil_div(pad - phase, stride);
  Axis axis;
  axis.source = outputs;
  axis.target_first = stride * u + phase - pad;
  axis.target_step = stride;
  axis.outputs = axis.target_first < inputs ? (inputs - 1 - axis.target_first) / stride + 1 : 0;
  axis.taps = first < period && first < taps ? (taps - 1 - first) / period + 1 : 0;
  axis.tap_step = dilation / common;
  const int64_t last = first + (axis.taps - 1) * period;
  axis.origin = axis.taps == 0 ? 0 : u - (last * dilation - phase) / stride;
  axis.weight_first = last;
  axis.weight_step = -period;
  return axis;
}

Blocks::Blocks(const Layout& l, int64_t most) : layout(l) {
  const Axis &r = l.rows, &c = l.columns;
  images = rows = 1;
  columns = greatest(1, least(c.outputs, most));
  while (columns > 16 && r.extent(1) * c.extent(columns) * l.channels > kSourceFloats) columns = (columns + 1) / 2;
  column_count = ceil_div(c.outputs, columns);
  if (column_count > 0) columns = ceil_div(c.outputs, column_count);
  const int64_t width = c.extent(columns) * l.channels;
  while (rows < r.outputs && (rows + 1) * columns <= most && r.extent(rows + 1) * width <= kSourceFloats) ++rows;
  row_count = ceil_div(r.outputs, rows);
  if (row_count > 0) rows = ceil_div(r.outputs, row_count);
  if (row_count == 1 && column_count == 1) {
    const int64_t image = r.extent(rows) * width;
    images = greatest(1, least(least(most / (rows * columns), kSourceFloats / greatest(1, image)), l.images));
  }
  image_count = ceil_div(l.images, images);
}

Block Blocks::at(int64_t i) const {
  Block b;
  b.column = i % column_count * columns;
  i /= column_count;
  b.row = i % row_count * rows;
  b.image = i / row_count * images;
  b.columns = least(columns, layout.columns.outputs - b.column);
  b.rows = least(rows, layout.rows.outputs - b.row);
  b.images = least(images, layout.images - b.image);
  return b;
}

int64_t Blocks::source_floats() const {
  return images * layout.rows.extent(rows) * layout.columns.extent(columns) * layout.channels;
}

namespace {

// A row of n pixels, the ones from `from` to `to` read from x, zero around them.
float* copy_row(const float* x, int64_t n, int64_t from, int64_t to, int64_t channels, int64_t repeat, float* to_row) {
  if (from >= to) from = to = n;
  const int64_t pixel = channels * repeat;
  std::memset(to_row, 0, static_cast<size_t>(from * pixel) * sizeof(float));
  float* y = to_row + from * pixel;
  if (repeat == 1) {
    if (from < to) std::memcpy(y, x, static_cast<size_t>((to - from) * channels) * sizeof(float));
    y += (to - from) * channels;
  } else {
    for (int64_t i = 0; i < (to - from) * channels; ++i) {
      for (int64_t k = 0; k < repeat; ++k) *y++ = x[i];
    }
  }
  std::memset(y, 0, static_cast<size_t>((n - to) * pixel) * sizeof(float));
  return to_row + n * pixel;
}

}  // namespace

View view(const Layout& l, const Block& b, const float* x, float* scratch, int64_t repeat) {
  const Axis &r = l.rows, &c = l.columns;
  if (r.taps == 0 || c.taps == 0) return View{x, 0, 0, 0};
  const int64_t row = r.origin + b.row * r.stride, column = c.origin + b.column * c.stride;
  const int64_t height = r.extent(b.rows), width = c.extent(b.columns);
  const int64_t line = c.source * l.channels, image = r.source * line;
  if (row >= 0 && row + height <= r.source && column >= 0 && column + width <= c.source && repeat == 1) {
    return View{x + b.image * image + row * line + column * l.channels, image, line, l.channels};
  }
  const int64_t pixel = l.channels * repeat;
  const int64_t left = greatest(column, 0), right = least(column + width, c.source);
  float* to = scratch;
  for (int64_t i = 0; i < b.images; ++i) {
    for (int64_t h = row; h < row + height; ++h) {
      const bool inside = h >= 0 && h < r.source && left < right;
      const float* from = inside ? x + (b.image + i) * image + h * line + left * l.channels : x;
      to = copy_row(from, width, inside ? left - column : 0, inside ? right - column : 0, l.channels, repeat, to);
    }
  }
  return View{scratch, height * width * pixel, width * pixel, pixel};
}

int64_t segment_bound(const Layout& l, int64_t channels, int64_t depth) {
  const int64_t taps = l.rows.taps * l.columns.taps;
  return taps + (taps * channels) / depth + 1;
}

int64_t segments_of(const Layout& l, const View& v, int64_t channels, int64_t depth, Segment* segments) {
  int64_t count = 0, k = 0;
  for (int64_t i = 0; i < l.rows.taps; ++i) {
    for (int64_t j = 0; j < l.columns.taps; ++j) {
      int64_t offset = i * l.rows.tap_step * v.row_stride + j * l.columns.tap_step * v.pixel_stride;
      for (int64_t left = channels; left > 0;) {
        const int64_t n = least(left, depth - k % depth);
        Segment* const before = segments + count - 1;
        if (k % depth != 0 && before->offset + before->length == offset) {
          before->length += n;
        } else {
          segments[count++] = Segment{offset, n};
        }
        k += n;
        offset += n;
        left -= n;
      }
    }
  }
  return count;
}

}  // namespace CREMA_ISA
}  // namespace crema
