// conv_depthwise.cpp: convolution with one filter (or a few: repeat) a channel. Nothing is shared between
// channels, so vectors run along them: a few pixels at a time, each tap's weights loaded once for all.
#include "../conv.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kPixels = 1024;  // of a block

#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kTile = 14;
#else
constexpr int kTile = 7;
#endif

struct Line {
  const float* x;  // source of the first pixel, at tap 0
  float* y;
  int64_t x_step, y_step;  // floats between pixels
  int64_t n;               // channels of the vector
};

template <int P>
void run(const Depthwise& d, const View& v, int64_t outputs, int64_t channel, const Line& line) {
  const Axis &rows = d.layout.rows, &columns = d.layout.columns;
  const bool full = line.n == W;
  const float* const w = d.w + channel;
  vec acc[P];
  const vec start = d.bias == nullptr ? vec{} : full ? load(d.bias + channel) : load_n(d.bias + channel, line.n);
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p) acc[p] = start;
  for (int64_t i = 0; i < rows.taps; ++i) {
    const int64_t filter_row = (rows.weight_first + i * rows.weight_step) * d.filter_w;
    for (int64_t j = 0; j < columns.taps; ++j) {
      const float* const tap = w + (filter_row + columns.weight_first + j * columns.weight_step) * outputs;
      const float* const x = line.x + i * rows.tap_step * v.row_stride + j * columns.tap_step * v.pixel_stride;
      if (full) {
        const vec f = load(tap);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) acc[p] += f * load(x + p * line.x_step);
      } else {
        const vec f = load_n(tap, line.n);
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) acc[p] += f * load_n(x + p * line.x_step, line.n);
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < P; ++p) {
    const vec y = d.activation == kRelu ? at_least(acc[p], vec{}) : acc[p];
    if (full) {
      store(line.y + p * line.y_step, y);
    } else {
      store_n(line.y + p * line.y_step, y, line.n);
    }
  }
}

// A line of pixels for every channel. Channels past the last whole vector: one that reaches back over its neighbour.
void run_line(const Depthwise& d, const View& v, int64_t outputs, const Line& start, int64_t pixels) {
  for (int64_t p = 0; p < pixels;) {
    const int64_t left = pixels - p;
    const bool whole = left >= kTile;
    for (int64_t c = 0; c < outputs; c += W) {
      const int64_t channel = c + W > outputs && outputs >= W ? outputs - W : c;
      const Line line{start.x + p * start.x_step + channel, start.y + p * start.y_step + channel, start.x_step,
                      start.y_step, outputs < W ? outputs : W};
      if (whole) {
        run<kTile>(d, v, outputs, channel, line);
      } else if (left >= 4) {
        run<4>(d, v, outputs, channel, line);
      } else {
        run<1>(d, v, outputs, channel, line);
      }
    }
    p += whole ? kTile : left >= 4 ? 4 : 1;
  }
}

int64_t source_bytes(const Depthwise& d, const Blocks& b) { return float_bytes(b.source_floats() * d.repeat); }

}  // namespace

int64_t depthwise_scratch(const Depthwise& d) { return d.threads * source_bytes(d, Blocks(d.layout, kPixels)); }

void depthwise(const Depthwise& d, char* scratch) {
  const Blocks blocks(d.layout, kPixels);
  const Axis &rows = d.layout.rows, &columns = d.layout.columns;
  const int64_t outputs = d.layout.channels * d.repeat, bytes = source_bytes(d, blocks);
  const int64_t work = blocks.pixels() * (rows.taps * columns.taps + 1) * outputs / 4;  // bound by loads
  parallel(d.threads, blocks.count(), grain_of(work), [&](int64_t begin, int64_t end, int64_t chunk) {
    for (int64_t i = begin; i < end; ++i) {
      const Block b = blocks.at(i);
      const View v = view(d.layout, b, d.x, reinterpret_cast<float*>(scratch + chunk * bytes), d.repeat);
      for (int64_t n = 0; n < b.images; ++n) {
        for (int64_t r = 0; r < b.rows; ++r) {
          const int64_t target = ((b.image + n) * d.y_h + rows.target_first + (b.row + r) * rows.target_step) * d.y_w +
                                 columns.target_first + b.column * columns.target_step;
          const Line line{v.data + n * v.image_stride + r * rows.stride * v.row_stride, d.y + target * outputs,
                          columns.stride * v.pixel_stride, columns.target_step * outputs, 0};
          run_line(d, v, outputs, line, b.columns);
          if (d.activation == kNone || d.activation == kRelu) continue;
          for (int64_t q = 0; q < b.columns; ++q) apply_activation(d.activation, line.y + q * line.y_step, outputs);
        }
      }
    }
  });
}

namespace {

// T taps of one vector of channels over all pixels of the block.
template <int T>
void add_taps(const DepthwiseGrad& g, int64_t channel, int64_t first, int64_t fresh) {
  const bool full = g.outputs >= W;
  const int64_t n = full ? W : g.outputs;
  const int64_t step = g.column_stride * g.x.pixel_stride;
  const float* x[T];
  vec acc[T];
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) {
    x[t] = g.x.data + g.x_offset[first + t] + channel;
    acc[t] = vec{};
  }
  for (int64_t i = 0; i < g.block.images; ++i) {
    for (int64_t r = 0; r < g.block.rows; ++r) {
      int64_t at = i * g.x.image_stride + r * g.row_stride * g.x.row_stride;
      const float* dy = g.dy + i * g.dy_image + r * g.dy_row + channel;
      for (int64_t q = 0; q < g.block.columns; ++q, at += step, dy += g.outputs) {
        if (full) {
          const vec d = load(dy);
#pragma GCC unroll 16
          for (int t = 0; t < T; ++t) acc[t] += d * load(x[t] + at);
        } else {
          const vec d = load_n(dy, n);
#pragma GCC unroll 16
          for (int t = 0; t < T; ++t) acc[t] += d * load_n(x[t] + at, n);
        }
      }
    }
  }
  veci lane{};
  for (int i = 0; i < W; ++i) lane[i] = i;
  const veci own = lane >= broadcasti(static_cast<int32_t>(fresh));
#pragma GCC unroll 16
  for (int t = 0; t < T; ++t) {
    float* const w = g.dw + (first + t) * g.outputs + channel;
    if (full) {
      const vec before = g.accumulate || fresh > 0 ? load(w) : vec{};
      store(w, select(own, g.accumulate ? before + acc[t] : acc[t], before));
    } else {
      store_n(w, g.accumulate ? load_n(w, n) + acc[t] : acc[t], n);
    }
  }
}

}  // namespace

void depthwise_weight_grad(const DepthwiseGrad& g) {
  for (int64_t c = 0; c < g.outputs; c += W) {
    // A last vector that reaches back leaves the `fresh` lanes before it to its neighbour.
    const int64_t channel = c + W > g.outputs && g.outputs >= W ? g.outputs - W : c;
    for (int64_t t = 0; t < g.taps;) {
      const int64_t left = g.taps - t;
      if (left >= 9) {
        add_taps<9>(g, channel, t, c - channel);
        t += 9;
      } else if (left >= 5) {
        add_taps<5>(g, channel, t, c - channel);
        t += 5;
      } else {
        add_taps<1>(g, channel, t, c - channel);
        t += 1;
      }
    }
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
