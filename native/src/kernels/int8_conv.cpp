// int8_conv.cpp: convolution of bytes, channels last: the sum of a few pixels at a time, whose taps are read where they
// lie, four channels (or neighbouring pixels' channels) a step. Where a window meets the padding, a run of its bytes is
// no multiple of four, or copies are spread, a block of the image is copied first, with the zero point of x around it.
#include "../conv.h"
#include "../int8_amx.h"
#include "../int8_tile.h"
#include "../int8_windows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kSourceBytes = 128 << 10;  // of a block's source: it stays in the L2 cache beside a panel of weights
constexpr int64_t kFewPixels = 8;            // of a block, however many threads there are
constexpr int64_t kBehind = 4;               // bytes that the last group of a run may reach behind it

// A quantized_conv2d.
struct Conv {
  Images x, y;
  ConvAttributes a;
  int64_t kh, kw, n;
  int32_t x_zero, y_zero;
  bool relu;

  explicit Conv(const Call& c)
      : x(c.in[0]), y(c.out[0]), a(c), kh(c.ints[8]), kw(c.ints[9]), n(y.c), x_zero(static_cast<int32_t>(c.ints[10])),
        y_zero(static_cast<int32_t>(c.ints[11])), relu(a.activation == kRelu) {}

  // Bytes that follow one another under a window, and how often they do.
  int64_t run() const { return a.dilation_w == 1 ? kw * x.c : x.c; }
  int64_t runs() const { return a.dilation_w == 1 ? kh : kh * kw; }
  int64_t steps() const { return runs() * int8_steps(run()); }
  // Pixels of the source under some rows or columns of windows.
  int64_t high(int64_t rows) const { return (rows - 1) * a.stride_h + (kh - 1) * a.dilation_h + 1; }
  int64_t wide() const { return (y.w - 1) * a.stride_w + (kw - 1) * a.dilation_w + 1; }
  bool is_inside() const {
    return a.top == 0 && a.left == 0 && high(y.h) <= x.h && wide() <= x.w;
  }
  bool is_copied() const { return kSpread > 1 || !is_inside() || run() % kGroup != 0; }
  // Runs of a few bytes cost more to copy than to multiply (5 x 5 windows of 1 channel: 0.75 times as fast in tiles).
  bool in_tiles() const { return run() >= 16 && int8_in_tiles(y.pixels(), n, steps() * kGroup); }
  // What a pixel takes, in multiply-adds of float32. In tiles a byte of a window costs most when it is copied: 0.05 ns
  // with a product of 32 columns, a quarter of which each further panel of columns takes (Granite Rapids).
  int64_t work() const {
    const int64_t k = steps() * kGroup;
    return in_tiles() ? k * (3 + (n + kPanel - 1) / kPanel) / 4 : k * n / kInt8Faster;
  }
  // Threads that it is worth sharing among.
  int32_t shares(int32_t threads) const { return y.pixels() <= grain_of(work()) ? 1 : threads; }
  // One row of pixels is one product, where windows are of one pixel.
  bool is_product() const {
    return kh == 1 && kw == 1 && a.stride_h == 1 && a.stride_w == 1 && is_inside() && y.h == x.h && y.w == x.w;
  }
  int64_t line() const { return (is_copied() ? wide() : x.w) * x.c; }  // bytes of a row of the source
};

#if defined(__AMX_INT8__)
Windows windows_of(const Conv& v, const int64_t* offset) { return {v.runs(), v.run(), offset}; }

// Rows are copied while those of the block before are multiplied, where both fit the L1 cache.
int64_t windows_ahead(const Windows& w) { return w.bytes(kAmxBlockRows) <= 12 << 10 ? 2 : 1; }
int64_t windows_bytes(const Conv& v) {
  const Windows w = windows_of(v, nullptr);
  return windows_ahead(w) * w.bytes(kAmxBlockRows);
}
#else
int64_t windows_bytes(const Conv&) { return 0; }
#endif

// Some images, or some rows of one.
struct Part {
  int64_t image, images, row, rows;
};

// How the outputs are cut into parts, for threads among which they are shared.
struct Parts {
  int64_t rows, images, row_count, image_count;

  Parts(const Conv& v, int32_t threads) {
    const int64_t pixels = v.y.pixels() / (2 * threads), few = v.in_tiles() ? kAmxBlockRows : kFewPixels;
    const int64_t most = threads == 1 || pixels > few ? pixels : few;
    rows = bounded(kSourceBytes / (kSpread * v.a.stride_h * v.line()), most / v.y.w, v.y.h);
    images = rows < v.y.h ? 1 : bounded(kSourceBytes / (kSpread * v.high(v.y.h) * v.line()), most / (v.y.h * v.y.w), v.y.n);
    row_count = (v.y.h + rows - 1) / rows;
    image_count = (v.y.n + images - 1) / images;
  }
  static int64_t bounded(int64_t a, int64_t b, int64_t most) {
    const int64_t least = a < b ? a : b;
    return least < 1 ? 1 : least < most ? least : most;
  }
  int64_t count() const { return row_count * image_count; }
  Part at(const Conv& v, int64_t i) const {
    const int64_t image = i / row_count * images, row = i % row_count * rows;
    return {image, v.y.n - image < images ? v.y.n - image : images, row, v.y.h - row < rows ? v.y.h - row : rows};
  }
};

struct Workspace {
  int64_t steps, source, pixels, windows;  // bytes

  Workspace(const Conv& v, const Parts& p)
      : steps(round_up(v.steps() * 8, 64)),
        source(v.is_copied() ? round_up(kSpread * (p.images * v.high(p.rows) * v.line() + kBehind), 64) : 0),
        pixels(round_up(p.images * p.rows * v.y.w * 8, 64)),
        windows(v.in_tiles() ? windows_bytes(v) : 0) {}
  int64_t own() const { return source + pixels + windows; }  // of a thread
  int64_t bytes(int32_t threads) const { return steps + threads * own(); }
};

// n bytes of padding, to the spread copy.
uint8_t* pad(const Conv& v, int64_t n, uint8_t* to) {
  if (kSpread == 1) {
    std::memset(to, v.x_zero, static_cast<size_t>(n));
  } else {
    const uint16_t zero = static_cast<uint16_t>(v.x_zero);
    for (int64_t i = 0; i < n; ++i) std::memcpy(to + kSpread * i, &zero, sizeof(zero));
  }
  return to + kSpread * n;
}

// The source of a part with its padding, spread.
void copy_source(const Conv& v, const uint8_t* x, const Part& part, uint8_t* to) {
  const int64_t wide = v.wide(), c = v.x.c, high = v.high(part.rows);
  const int64_t left = v.a.left < wide ? v.a.left : wide;
  const int64_t inside = v.x.w < wide - left ? v.x.w : wide - left, right = wide - left - inside;
  for (int64_t i = 0; i < part.images; ++i) {
    const uint8_t* const image = x + (part.image + i) * v.x.h * v.x.w * c;
    for (int64_t r = 0; r < high; ++r) {
      const int64_t row = part.row * v.a.stride_h - v.a.top + r;
      if (row < 0 || row >= v.x.h) {
        to = pad(v, wide * c, to);
        continue;
      }
      to = pad(v, left * c, to);
      spread(image + row * v.x.w * c, inside * c, to);
      to = pad(v, right * c, to + kSpread * inside * c);
    }
  }
}

// Where the pixels of a part begin in its source; those of a smaller part are the first of them.
void pixel_offsets(const Conv& v, const Part& part, int64_t image_bytes, int64_t* offset) {
  for (int64_t i = 0; i < part.images; ++i) {
    for (int64_t r = 0; r < part.rows; ++r) {
      const int64_t from = i * image_bytes + r * v.a.stride_h * v.line();
      const int64_t step = kSpread * v.a.stride_w * v.x.c, width = v.y.w;
      for (int64_t q = 0; q < width; ++q) *offset++ = kSpread * from + q * step;
    }
  }
}

// Where the groups of a window lie from its first pixel on.
void step_offsets(const Conv& v, int64_t* offset) {
  const int64_t columns = v.runs() / v.kh;
  for (int64_t r = 0; r < v.kh; ++r) {
    for (int64_t q = 0; q < columns; ++q) {
      const int64_t from = r * v.a.dilation_h * v.line() + q * v.a.dilation_w * v.x.c;
      for (int64_t p = 0; p < v.run(); p += kGroup) *offset++ = kSpread * (from + p);
    }
  }
}

template <int Rows, int Vectors>
void gather_tile(const Int8Tile& t, const int64_t* pixel, const int64_t* offset) {
  veci sum[Rows][Vectors] = {};
  const uint8_t* x[Rows];
  for (int r = 0; r < Rows; ++r) x[r] = t.x + pixel[r];
  const int32_t* weights = t.weights;
  for (int64_t p = 0; p < t.k; ++p, weights += Vectors * W) {
    const int64_t at = offset[p];
    step<Rows, Vectors>(sum, [&](int r) CREMA_LAMBDA { return spread_left(x[r] + at); }, weights);
  }
  finish<Rows, Vectors>(t, sum);
}

using TileFunction = void (*)(const Int8Tile&, const int64_t*, const int64_t*);

template <int Rows, int Vectors>
TileFunction gather_function(int64_t rows) {
  if (rows == Rows) return gather_tile<Rows, Vectors>;
  if constexpr (Rows > 1) return gather_function<Rows - 1, Vectors>(rows);
  return nullptr;
}

TileFunction gather_function(int64_t rows, int64_t columns) {
  return columns > W ? gather_function<kDirectRows, 2>(rows) : gather_function<kDirectRows, 1>(rows);
}

// The part's outputs; `t` has what is the same for all.
void convolve(const Conv& v, const Part& part, Int8Tile t, const Int8Product& g, const int64_t* pixel,
              const int64_t* offset) {
  const int64_t pixels = part.images * part.rows * v.y.w, tiles = (pixels + kDirectRows - 1) / kDirectRows;
  const int64_t first = (part.image * v.y.h + part.row) * v.y.w * v.n;
  for (int64_t j = 0; j < v.n; j += kPanel) {
    set_panel(t, g, t.k, j);
    for (int64_t i = 0; i < tiles; ++i) {
      const int64_t from = pixels * i / tiles, rows = pixels * (i + 1) / tiles - from;
      const int64_t at = first + from * v.n + j;
      if (g.y != nullptr) t.y = g.y + at;
      if (g.q != nullptr) t.q = g.q + at;
      gather_function(rows, t.columns)(t, pixel + from, offset);
    }
  }
}

#if defined(__AMX_INT8__)
// The same in tiles: 32 windows at a time become rows.
void convolve_in_tiles(const Conv& v, const Part& part, Int8Tile t, const Int8Product& g, const int64_t* pixel,
                       const int64_t* offset, uint8_t* rows) {
  const int64_t pixels = part.images * part.rows * v.y.w, first = (part.image * v.y.h + part.row) * v.y.w * v.n;
  const Windows windows = windows_of(v, offset);
  const int64_t near = int8_near_columns(windows.k()), ahead = windows_ahead(windows);
  Int8Amx amx(windows.k());
  for (int64_t from = 0; from < v.n; from += near) {
    const int64_t to = from + near < v.n ? from + near : v.n;
    const auto count = [&](int64_t i) { return pixels - i < kAmxBlockRows ? pixels - i : kAmxBlockRows; };
    const auto rows_of = [&](int64_t i) { return rows + i / kAmxBlockRows % ahead * windows.bytes(kAmxBlockRows); };
    const auto copy = [&](int64_t i) {
      if (i < pixels) copy_windows(windows, t.x, pixel + i, count(i), rows_of(i));
    };
    if (ahead > 1) copy(0);
    for (int64_t i = 0; i < pixels; i += kAmxBlockRows) {
      copy(i + (ahead - 1) * kAmxBlockRows);
      amx.rows(rows_of(i), windows.row_bytes(), count(i));
      for (int64_t j = from; j < to; j += kPanel) {
        set_panel(t, g, v.steps(), j);
        const int64_t at = first + i * v.n + j;
        if (g.y != nullptr) t.y = g.y + at;
        if (g.q != nullptr) t.q = g.q + at;
        amx.block(t);
      }
    }
  }
}
#else
void convolve_in_tiles(const Conv&, const Part&, Int8Tile, const Int8Product&, const int64_t*, const int64_t*,
                       uint8_t*) {}
#endif

// The same as a product of rows: the pixels are the rows.
Int8Product product_of(const Call& c, const Conv& v) {
  Int8Product g;
  g.m = v.x.pixels();
  g.n = v.n;
  g.k = v.x.c;
  g.x = c.in[0].as<uint8_t>();
  g.ldx = g.k;
  g.weights = c.in[1].i32();
  g.offset = g.weights + v.steps() * int8_columns(g.n);
  g.scale = reinterpret_cast<const float*>(g.offset + int8_columns(g.n));
  if (c.out[0].type == CREMA_UINT8) {
    g.q = c.out[0].as<uint8_t>();
  } else {
    g.y = c.out[0].f32();
  }
  g.ldy = g.n;
  g.relu = v.relu;
  g.zero_point = v.y_zero;
  return g;
}

int64_t scratch(const Call& c) {
  const Conv v(c);
  if (c.out[0].elements() == 0) return 0;
  if (v.is_product()) return int8_scratch(v.x.pixels(), v.n, v.x.c, c.threads);
  const int32_t threads = v.shares(c.threads);
  return Workspace(v, Parts(v, threads)).bytes(threads);
}

}  // namespace

// quantized_conv2d: in: x [n, h, w, c] uint8, packed (pack_quantized's, runs as Conv's); out: y [n, oh, ow, units]
// float32 or uint8. ints: as ConvAttributes (one group; ReLU or nothing), rows and columns of a window, zero points of
// x and y.
CREMA_KERNEL_SCRATCH(quantized_conv2d, scratch) {
  const Conv v(c);
  if (c.out[0].elements() == 0) return;
  const Int8Product g = product_of(c, v);
  if (v.is_product()) return int8_product(g, c.scratch, c.threads);
  const int32_t threads = v.shares(c.threads);
  const Parts parts(v, threads);
  const Workspace workspace(v, parts);
  int64_t* const offset = reinterpret_cast<int64_t*>(c.scratch);
  step_offsets(v, offset);
  const int64_t image_bytes = (v.is_copied() ? v.high(parts.rows) : v.x.h) * v.line();
  parallel(threads, parts.count(), grain_of(parts.images * parts.rows * v.y.w * v.work()), [&](int64_t begin, int64_t end, int64_t chunk) {
    char* const own = c.scratch + workspace.steps + chunk * workspace.own();
    uint8_t* const source = reinterpret_cast<uint8_t*>(own);
    int64_t* const pixel = reinterpret_cast<int64_t*>(own + workspace.source);
    Int8Tile t;
    t.k = v.steps();
    t.ldy = v.n;
    t.zero_point = v.y_zero;
    t.relu = v.relu;
    pixel_offsets(v, {0, parts.images, 0, parts.rows}, image_bytes, pixel);
    for (int64_t i = begin; i < end; ++i) {
      const Part part = parts.at(v, i);
      if (v.is_copied()) {
        copy_source(v, g.x, part, source);
        t.x = source;
      } else {
        t.x = g.x + (part.image * v.x.h + part.row * v.a.stride_h) * v.line();
      }
      if (v.in_tiles()) {
        uint8_t* const rows = reinterpret_cast<uint8_t*>(own + workspace.source + workspace.pixels);
        convolve_in_tiles(v, part, t, g, pixel, offset, rows);
      } else {
        convolve(v, part, t, g, pixel, offset);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
