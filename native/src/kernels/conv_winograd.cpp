// conv_winograd.cpp: 3 x 3 and 5 x 5 convolutions of stride 1 by Winograd's minimal filtering F(2 x 2, r x r) (Lavin and
// Gray 2016): 16 multiplications for 4 outputs instead of 36, or 36 instead of 100. A tile of (r + 1) x (r + 1) source
// pixels d and the filter g of a pair of channels give 2 x 2 outputs
//   A' [(G g G') * (B' d B)] A
// with * element by element: so for each place of a tile one product of matrices [tiles, k] x [k, n]. Errors are about
// twice those of the plain sum under 3 x 3. Under 5 x 5 they depend on the points of the polynomials behind the
// matrices: with 0, 1, -1, 2, -1/2 and infinity all four outputs have the same share, a third of the worst one's with 2
// and -2 (Barabasz et al. 2020 on such choices). An infinity or NaN reaches all four outputs of the tiles that read it,
// as NaN.
#include "../conv_winograd.h"
#include "../gemm_pack.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// G of a line of a filter, by the points of source_line.
template <int Edge>
CREMA_INLINE void filter_line(const vec* g, int step, vec* to, int to_step) {
  static_assert(Edge == 4 || Edge == 6);
  if constexpr (Edge == 4) {
    const vec half = 0.5f * (g[0] + g[2 * step]), middle = 0.5f * g[step];
    to[0] = g[0];
    to[to_step] = half + middle;
    to[2 * to_step] = half - middle;
    to[3 * to_step] = g[2 * step];
  } else {
    constexpr float kThird = 1.0f / 3, kFifteenth = 1.0f / 15;
    const vec a = g[0], b = g[step], c = g[2 * step], d = g[3 * step], e = g[4 * step];
    const vec even = a + c + e, odd = b + d;
    to[0] = a;
    to[to_step] = -kThird * (even + odd);
    to[2 * to_step] = kThird * (even - odd);
    to[3 * to_step] = kFifteenth * (a + 2.0f * b + 4.0f * c + 8.0f * d + 16.0f * e);
    to[4 * to_step] = -kFifteenth * (16.0f * a - 8.0f * b + 4.0f * c - 2.0f * d + e);
    to[5 * to_step] = e;
  }
}

// A' of a line of sums.
template <int Edge>
CREMA_INLINE void sum_line(const vec* m, vec* first, vec* second) {
  if constexpr (Edge == 4) {
    *first = m[0] + m[1] + m[2];
    *second = m[1] - m[2] - m[3];
  } else {
    *first = m[0] + (m[1] + m[2]) + (m[3] + m[4]);
    *second = (m[1] - m[2]) + (2.0f * m[3] - 0.5f * m[4]) + m[5];
  }
}

// A' m A plus bias of one tile, to the outputs; those that are not there have no address.
template <int Edge>
void transform_sums(const float* from, int64_t place, int64_t n, const float* bias, bool relu, float* const* to) {
  const auto columns = [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
    const auto read = [&](const float* p) __attribute__((always_inline)) { return some(p + i, lanes); };
    vec top[Edge], bottom[Edge];
#pragma GCC unroll 6
    for (int j = 0; j < Edge; ++j) {
      vec m[Edge];
#pragma GCC unroll 6
      for (int q = 0; q < Edge; ++q) m[q] = read(from + (Edge * q + j) * place);
      sum_line<Edge>(m, top + j, bottom + j);
    }
    const vec start = bias == nullptr ? vec{} : read(bias);
    vec y[4];
    sum_line<Edge>(top, y, y + 1);
    sum_line<Edge>(bottom, y + 2, y + 3);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      y[q] = y[q] + start;
      if (relu) y[q] = at_least(y[q], vec{});
      if (to[q] == nullptr) continue;
      put(to[q] + i, y[q], lanes);
    }
  };
  int64_t i = 0;
  for (; i + W <= n; i += W) columns(i, W);
  if (i < n) columns(i, n - i);
}

// Columns [begin, end) of a block's outputs.
void scatter(const Convolution& c, const WinogradBlocks& g, int64_t first, int64_t count, int64_t begin, int64_t end,
             const float* sums) {
  const Axis &rows = c.layout.rows, &columns = c.layout.columns;
  const auto transform = g.tiles.edge() == 4 ? transform_sums<4> : transform_sums<6>;
  const float* const bias = c.bias == nullptr ? nullptr : c.bias + begin;
  for (int64_t t = 0; t < count; ++t) {
    const WinogradTiles::Place at = g.tiles.at(first + t);
    float* outputs[4];
    for (int64_t q = 0; q < 4; ++q) {
      const int64_t h = at.row + q / 2, w = at.column + q % 2;
      const bool inside = h < rows.outputs && w < columns.outputs;
      const int64_t pixel =
          (at.image * c.y_h + rows.target_first + h) * c.y_w + columns.target_first + w;
      outputs[q] = inside ? c.y + pixel * c.n + begin : nullptr;
    }
    transform(sums + t * c.n + begin, g.sums_place, end - begin, bias, c.activation == kRelu, outputs);
    for (float* y : outputs) {
      if (y != nullptr && c.activation > kRelu) apply_activation(c.activation, y, end - begin);
    }
  }
}

// Filters of all pairs of channels, [place][panel][k][columns of the panel], zero in the columns past n.
template <int Edge>
void transform_filters(const Convolution& c, float* filters) {
  constexpr int kTaps = Edge - 1;
  const Panels panels(c.n);
  const Axis &rows = c.layout.rows, &columns = c.layout.columns;
  const int64_t place = c.k * panels.width();
  const auto tap_at = [&](int t) {
    return c.w.data + (rows.weight_first + t / kTaps * rows.weight_step) * c.w.row +
           (columns.weight_first + t % kTaps * columns.weight_step) * c.w.column;
  };
  const auto transformed = [&](const vec* g, float* to) __attribute__((always_inline)) {
    vec half[Edge * kTaps], u[Edge * Edge];
    for (int i = 0; i < kTaps; ++i) filter_line<Edge>(g + i, kTaps, half + i, kTaps);
    for (int i = 0; i < Edge; ++i) filter_line<Edge>(half + kTaps * i, 1, u + Edge * i, 1);
    for (int i = 0; i < Edge * Edge; ++i) store(to + i * place, u[i]);
  };
  parallel(c.threads, c.k, 1 + (1 << 16) / (place + 1), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t p = 0; p < panels.count; ++p) {
      const int64_t first = panels.first(p) * W, width = panels.size(p) * W, n = panels.columns_of(p);
      for (int64_t j = 0; j < width; j += W) {
        const int64_t lanes = n - j < W ? n - j : W;
        float* const to = filters + first * c.k + j;
        vec g[kTaps * kTaps];
        if (c.w.n == 1) {
          for (int64_t k = begin; k < end; ++k) {
            for (int t = 0; t < kTaps * kTaps; ++t) g[t] = some(tap_at(t) + k * c.w.k + first + j, lanes);
            transformed(g, to + k * width);
          }
          continue;
        }
        // Steps of k are adjacent: W of them change places with the columns.
        alignas(64) float turned[kTaps * kTaps * W * W];
        for (int64_t k = begin; k < end; k += W) {
          const int64_t steps = end - k < W ? end - k : W;
          for (int t = 0; t < kTaps * kTaps; ++t) {
            transpose_rows(tap_at(t) + k + (first + j) * c.w.n, c.w.n, lanes, steps, turned + t * W * W, W);
          }
          for (int64_t i = 0; i < steps; ++i) {
            for (int t = 0; t < kTaps * kTaps; ++t) g[t] = load(turned + (t * W + i) * W);
            transformed(g, to + (k + i) * width);
          }
        }
      }
    }
  });
}

}  // namespace

// In cycles of two multiply-adds, a tile of 4 x 4: a place takes three cycles a vector besides its products, the
// transforms 28 a vector of channels, finding a tile's pixels 60 (kernel_bench, Zen 5). Transforms of 6 x 6 take 160 a
// vector of channels, finding the pixels 260: 36 places are more than registers, and more streams than the L1 cache
// likes (kernel_bench, Zen 3).
double winograd_cycles(const Layout& layout, int64_t k, int64_t n) {
  const WinogradTiles tiles(layout);
  const double vectors = static_cast<double>((n + W - 1) / W), sum = static_cast<double>(k);
  const bool small = tiles.edge() == 4;
  const double places = static_cast<double>(tiles.places()) * (0.5 * sum + 3) * vectors;
  const double transforms = (small ? 28 : 160) * (sum / W + vectors) + (small ? 60 : 260);
  return (places + transforms) * static_cast<double>(tiles.count);
}

// The plain sum takes nine tenths of the peak.
bool winograd_pays(const Layout& layout, int64_t k, int64_t n) {
  if (!winograd_fits(layout)) return false;
  Layout image = layout;
  image.images = 1;  // whatever the batch
  const double taps = static_cast<double>(layout.rows.taps * layout.columns.taps);
  const double direct = taps * 0.5 * static_cast<double>(k * ((n + W - 1) / W)) / 0.9;
  return winograd_cycles(image, k, n) < 0.85 * direct * static_cast<double>(image.outputs());
}

int64_t winograd_floats(const Convolution& c) {
  return WinogradTiles(c.layout).places() * c.k * Panels(c.n).width();
}

void winograd_filters(const Convolution& c, float* filters) {
  return c.layout.rows.taps == 3 ? transform_filters<4>(c, filters) : transform_filters<6>(c, filters);
}

int64_t winograd_scratch(const Convolution& c) {
  const WinogradBlocks g(c);
  return g.filters + c.threads * g.thread_bytes();
}

void winograd(const Convolution& c, char* scratch) {
  const WinogradBlocks g(c);
  float* const own = reinterpret_cast<float*>(scratch);
  float* const zeros = reinterpret_cast<float*>(scratch + g.filters - float_bytes(c.k));
  std::memset(zeros, 0, static_cast<size_t>(c.k) * sizeof(float));
  if (!c.is_packed) winograd_filters(c, own);
  const float* const filters = c.is_packed ? c.packed : own;
  const int64_t panels = g.panels.count, work = g.block * g.tiles.places() * c.k * c.n / g.shares;
  parallel(c.threads, g.blocks * g.shares, grain_of(work), [&](int64_t begin, int64_t end, int64_t thread) {
    const WinogradBlocks::Memory m = g.memory(scratch, thread);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / g.shares * g.block, share = i % g.shares;
      const int64_t count = g.tiles.count - first < g.block ? g.tiles.count - first : g.block;
      const int64_t from = panels * share / g.shares, to = panels * (share + 1) / g.shares;
      if (i == begin || share == 0) winograd_source(g.tiles, first, count, c.x, zeros, m.source, g.source_place);
      g.multiply(m, filters, count, from, to);
      scatter(c, g, first, count, g.panels.first(from) * W, to == panels ? c.n : g.panels.first(to) * W, m.sums);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
