// conv_winograd_input.cpp: the gradient in the inputs by the transpose of conv_winograd.cpp's maps: a tile's 2 x 2
// gradients e of outputs give
//   B [(G g G') * (A e A')] B'
// to its source pixels, each of which adds what its tiles give it. There are as many tiles as forward; the gradient as
// a convolution of dy has tiles for all inputs, most of which reach into padding where images are small.
//
// The tiles of an image are added in order by one thread: the same bits for every thread count and batch size.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// A of a line of two gradients: the transpose of sum_line in conv_winograd.cpp.
template <int Edge>
CREMA_INLINE void flow_line(vec a, vec b, vec* to) {
  static_assert(Edge == 4 || Edge == 6);
  to[0] = a;
  to[1] = a + b;
  to[2] = a - b;
  if constexpr (Edge == 4) {
    to[3] = -b;
  } else {
    to[3] = a + 2.0f * b;
    to[4] = a - 0.5f * b;
    to[5] = b;
  }
}

// B of a line of sums `step` apart: the transpose of source_line in conv_winograd_source.cpp.
template <int Edge>
CREMA_INLINE void pixel_line(vec* m, int step) {
  if constexpr (Edge == 4) {
    const vec x0 = m[0], x1 = m[step], x2 = m[2 * step], x3 = m[3 * step];
    m[step] = (x1 - x2) + x3;
    m[2 * step] = (x1 + x2) - x0;
    m[3 * step] = -x3;
  } else {
    const vec x0 = m[0], x1 = m[step], x2 = m[2 * step], x3 = m[3 * step], x4 = m[4 * step], x5 = m[5 * step];
    const vec u = (x0 + x1) + (x2 + x3) + (x4 - 1.5f * x5);
    const vec v = (0.5f * x3 - 1.5f * x0) - (0.5f * x1 + x2) - (2.0f * x4 + x5);
    m[step] = -1.5f * x1 - v;
    m[2 * step] = 1.5f * (x2 - x1) - (x0 + u);
    m[3 * step] = (v - x5) - 1.5f * x2;
    m[4 * step] = u;
  }
}

// A e A' of tiles [first, first + count), to source[place][tile][channel].
template <int Edge>
void transform_flow(const Convolution& c, const WinogradBlocks& g, int64_t first, int64_t count, float* source) {
  const int64_t h = c.layout.rows.outputs, w = c.layout.columns.outputs, k = c.k;
  for (int64_t t = 0; t < count; ++t, source += k) {
    const WinogradTiles::Place at = g.tiles.at(first + t);
    const float* const from = c.x + ((at.image * h + at.row) * w + at.column) * k;
    const bool right = at.column + 1 < w, below = at.row + 1 < h;
    const auto channels = [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
      const auto read = [&](bool there, int64_t pixel) __attribute__((always_inline)) {
        return there ? some(from + pixel * k + i, lanes) : vec{};
      };
      vec left[Edge], other[Edge], line[Edge];
      flow_line<Edge>(read(true, 0), read(below, w), left);
      flow_line<Edge>(read(right, 1), read(right && below, w + 1), other);
#pragma GCC unroll 6
      for (int j = 0; j < Edge; ++j) {
        flow_line<Edge>(left[j], other[j], line);
#pragma GCC unroll 6
        for (int q = 0; q < Edge; ++q) put(source + (Edge * j + q) * g.source_place + i, line[q], lanes);
      }
    };
    int64_t i = 0;
    for (; i + W <= k; i += W) channels(i, W);
    if (i < k) channels(i, k - i);
  }
}

// Adds B m B' of one tile to its pixels; those that are not there have no address.
template <int Edge>
void add_sums(const float* from, int64_t place, int64_t n, float* const* pixels) {
  const auto columns = [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
    vec m[Edge * Edge];
#pragma GCC unroll 36
    for (int p = 0; p < Edge * Edge; ++p) m[p] = some(from + p * place + i, lanes);
#pragma GCC unroll 6
    for (int j = 0; j < Edge; ++j) pixel_line<Edge>(m + j, Edge);
#pragma GCC unroll 6
    for (int j = 0; j < Edge; ++j) {
      pixel_line<Edge>(m + Edge * j, 1);
#pragma GCC unroll 6
      for (int q = 0; q < Edge; ++q) {
        float* const to = pixels[Edge * j + q];
        if (to != nullptr) put(to + i, some(to + i, lanes) + m[Edge * j + q], lanes);
      }
    }
  };
  int64_t i = 0;
  for (; i + W <= n; i += W) columns(i, W);
  if (i < n) columns(i, n - i);
}

// The pixels of an image before its first tile.
void start(const Convolution& c, float* y, int64_t pixels) {
  for (int64_t i = 0; i < pixels; ++i, y += c.n) {
    if (c.bias == nullptr) {
      std::memset(y, 0, static_cast<size_t>(c.n) * sizeof(float));
    } else {
      std::memcpy(y, c.bias, static_cast<size_t>(c.n) * sizeof(float));
    }
  }
}

template <int Edge>
void add_block(const Convolution& c, const WinogradBlocks& g, int64_t first, int64_t count, const float* sums) {
  const Axis &rows = c.layout.rows, &columns = c.layout.columns;
  const int64_t tiles = g.tiles.rows * g.tiles.columns, image = rows.source * columns.source;
  for (int64_t t = 0; t < count; ++t, sums += c.n) {
    const WinogradTiles::Place at = g.tiles.at(first + t);
    float* const y = c.y + at.image * image * c.n;
    if ((first + t) % tiles == 0) start(c, y, image);
    float* pixels[Edge * Edge];
    for (int64_t r = 0; r < Edge; ++r) {
      const int64_t h = rows.origin + at.row + r;
      for (int64_t q = 0; q < Edge; ++q) {
        const int64_t w = columns.origin + at.column + q;
        const bool inside = h >= 0 && h < rows.source && w >= 0 && w < columns.source;
        pixels[Edge * r + q] = inside ? y + (h * columns.source + w) * c.n : nullptr;
      }
    }
    add_sums<Edge>(sums, g.sums_place, c.n, pixels);
    if ((first + t) % tiles == tiles - 1) apply_activation(c.activation, y, image * c.n);
  }
}

}  // namespace

// As winograd_cycles, where each source pixel is read and written besides.
double winograd_input_cycles(const Layout& layout, int64_t k, int64_t n) {
  const WinogradTiles tiles(layout);
  const double vectors = static_cast<double>((n + W - 1) / W), places = static_cast<double>(tiles.places());
  return winograd_cycles(layout, k, n) + 2 * places * vectors * static_cast<double>(tiles.count);
}

void winograd_input(const Convolution& c, char* scratch) {
  const WinogradBlocks g(c);
  float* const filters = reinterpret_cast<float*>(scratch);
  winograd_filters(c, filters);
  const auto flow_of = g.tiles.edge() == 4 ? transform_flow<4> : transform_flow<6>;
  const auto add = g.tiles.edge() == 4 ? add_block<4> : add_block<6>;
  const int64_t tiles = g.tiles.rows * g.tiles.columns, work = tiles * g.tiles.places() * c.k * c.n;
  parallel(c.threads, c.layout.images, grain_of(work), [&](int64_t begin, int64_t end, int64_t thread) {
    const WinogradBlocks::Memory m = g.memory(scratch, thread);
    for (int64_t first = begin * tiles; first < end * tiles; first += g.block) {
      const int64_t count = end * tiles - first < g.block ? end * tiles - first : g.block;
      flow_of(c, g, first, count, m.source);
      g.multiply(m, filters, count, 0, g.panels.count);
      add(c, g, first, count, m.sums);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
