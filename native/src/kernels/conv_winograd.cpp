// conv_winograd.cpp: 3 x 3 convolution of stride 1 by Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin and Gray 2016):
// 16 multiplications for 4 outputs instead of 36. A tile of 4 x 4 source pixels d and the filter g of a pair of channels
// give 2 x 2 outputs
//   A' [(G g G') * (B' d B)] A
// with * element by element: so for each of 16 places one product of matrices [tiles, k] x [k, n]. The transforms only
// add, subtract and halve; errors are about twice those of the plain sum. An infinity or NaN reaches all four
// outputs of the tiles that read it, as NaN.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBlockFloats = 98304;  // of a block of tiles, transformed: 384 KB of a 1 MB L2 cache, beside the filters

struct Winograd {
  WinogradTiles tiles;
  int64_t block, blocks;                    // tiles that are computed together
  int64_t source_place, sums_place;         // floats
  int64_t filters, source, sums, offsets;   // bytes: of all, then of each thread

  explicit Winograd(const Convolution& c) : tiles(c.layout) {
    block = kBlockFloats / (kPlaces * (c.k + c.n)) / 12 * 12;  // whole register tiles
    if (block < 12) block = 12;
    const int64_t share = tiles.count / (2 * c.threads), least = share < 12 ? 12 : share;
    if (block > least) block = least;
    if (block > tiles.count) block = tiles.count;  // smaller batches have no bigger blocks
    blocks = block == 0 ? 0 : (tiles.count + block - 1) / block;
    filters = (c.is_packed ? 0 : float_bytes(winograd_floats(c))) + float_bytes(c.k);
    source_place = place_floats(block * c.k);
    sums_place = place_floats(block * c.n);
    source = float_bytes(kPlaces * source_place);
    sums = float_bytes(kPlaces * sums_place);
    offsets = round_up(block * 8, 64);
  }
  int64_t thread_bytes() const { return source + sums + 2 * offsets; }
};

// x, y, z to G [x y z]'.
CREMA_INLINE void filter_line(vec x, vec y, vec z, vec* to, int step) {
  const vec half = 0.5f * (x + z), middle = 0.5f * y;
  to[0] = x;
  to[step] = half + middle;
  to[2 * step] = half - middle;
  to[3 * step] = z;
}

// A' m A plus bias of one tile, to the outputs; those that are not there have no address.
void transform_sums(const float* from, int64_t place, int64_t n, const float* bias, bool relu, float* const* to) {
  const auto columns = [&](int64_t i, int64_t lanes) __attribute__((always_inline)) {
    const auto read = [&](const float* p) __attribute__((always_inline)) { return some(p + i, lanes); };
    vec top[4], bottom[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const vec a = read(from + j * place), b = read(from + (4 + j) * place);
      const vec d = read(from + (8 + j) * place), e = read(from + (12 + j) * place);
      top[j] = a + b + d;
      bottom[j] = b - d - e;
    }
    const vec start = bias == nullptr ? vec{} : read(bias);
    vec y[4] = {top[0] + top[1] + top[2] + start, top[1] - top[2] - top[3] + start,
                bottom[0] + bottom[1] + bottom[2] + start, bottom[1] - bottom[2] - bottom[3] + start};
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      if (relu) y[q] = at_least(y[q], vec{});
      if (to[q] == nullptr) continue;
      put(to[q] + i, y[q], lanes);
    }
  };
  int64_t i = 0;
  for (; i + W <= n; i += W) columns(i, W);
  if (i < n) columns(i, n - i);
}

void scatter(const Convolution& c, const Winograd& g, int64_t first, int64_t count, const float* sums) {
  const Axis &rows = c.layout.rows, &columns = c.layout.columns;
  for (int64_t t = 0; t < count; ++t) {
    const WinogradTiles::Place at = g.tiles.at(first + t);
    float* outputs[4];
    for (int64_t q = 0; q < 4; ++q) {
      const int64_t h = at.row + q / 2, w = at.column + q % 2;
      const bool inside = h < rows.outputs && w < columns.outputs;
      outputs[q] = inside ? c.y + ((at.image * c.y_h + rows.target_first + h) * c.y_w + columns.target_first + w) * c.n
                          : nullptr;
    }
    transform_sums(sums + t * c.n, g.sums_place, c.n, c.bias, c.activation == kRelu, outputs);
    for (float* y : outputs) {
      if (y != nullptr && c.activation > kRelu) apply_activation(c.activation, y, c.n);
    }
  }
}

}  // namespace

// In cycles of two multiply-adds, a tile: a place takes three cycles a vector besides its products, the transforms
// 28 a vector of channels, finding a tile's pixels 60; the plain sum takes nine tenths of the peak (kernel_bench, Zen 5).
bool winograd_pays(const Layout& layout, int64_t k, int64_t n) {
  if (!winograd_fits(layout)) return false;
  const int64_t outputs = layout.rows.outputs * layout.columns.outputs;
  const int64_t tiles = (layout.rows.outputs + 1) / 2 * ((layout.columns.outputs + 1) / 2);
  const double vectors = static_cast<double>((n + W - 1) / W), sum = static_cast<double>(k);
  const double here = 16 * (0.5 * sum + 3) * vectors + 28 * (sum / W + vectors) + 60;
  const double direct = 9 * 0.5 * sum * vectors / 0.9;
  return here * static_cast<double>(tiles) < 0.85 * direct * static_cast<double>(outputs);
}

int64_t winograd_floats(const Convolution& c) { return kPlaces * c.k * Panels(c.n).width(); }

// Filters of all pairs of channels, [place][panel][k][columns of the panel], zero in the columns past n.
void winograd_filters(const Convolution& c, float* filters) {
  const Panels panels(c.n);
  const Axis &rows = c.layout.rows, &columns = c.layout.columns;
  const int64_t place = c.k * panels.width();
  parallel(c.threads, c.k, 1 + (1 << 16) / (place + 1), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t k = begin; k < end; ++k) {
      for (int64_t p = 0; p < panels.count; ++p) {
        const int64_t first = panels.first(p) * W, width = panels.size(p) * W, n = panels.columns_of(p);
        for (int64_t j = 0; j < width; j += W) {
          const int64_t lanes = n - j < W ? n - j : W;
          vec g[9], half[12], u[16];
          for (int t = 0; t < 9; ++t) {
            const float* const from = c.w.data + k * c.w.k + (first + j) * c.w.n +
                                      (rows.weight_first + t / 3 * rows.weight_step) * c.w.row +
                                      (columns.weight_first + t % 3 * columns.weight_step) * c.w.column;
            if (c.w.n == 1) {
              g[t] = some(from, lanes);
            } else {
              g[t] = vec{};
              for (int64_t i = 0; i < lanes; ++i) g[t][i] = from[i * c.w.n];
            }
          }
          for (int i = 0; i < 3; ++i) filter_line(g[i], g[3 + i], g[6 + i], half + i, 3);
          for (int i = 0; i < 4; ++i) filter_line(half[3 * i], half[3 * i + 1], half[3 * i + 2], u + 4 * i, 1);
          float* const to = filters + first * c.k + k * width + j;
          for (int i = 0; i < kPlaces; ++i) store(to + i * place, u[i]);
        }
      }
    }
  });
}

int64_t winograd_scratch(const Convolution& c) {
  const Winograd g(c);
  return g.filters + c.threads * g.thread_bytes();
}

void winograd(const Convolution& c, char* scratch) {
  const Winograd g(c);
  const Panels panels(c.n);
  float* const own = reinterpret_cast<float*>(scratch);
  float* const zeros = reinterpret_cast<float*>(scratch + g.filters - float_bytes(c.k));
  std::memset(zeros, 0, static_cast<size_t>(c.k) * sizeof(float));
  if (!c.is_packed) winograd_filters(c, own);
  const float* const filters = c.is_packed ? c.packed : own;
  parallel(c.threads, g.blocks, grain_of(g.block * kPlaces * c.k * c.n), [&](int64_t begin, int64_t end, int64_t chunk) {
    char* const memory = scratch + g.filters + chunk * g.thread_bytes();
    float* const source = reinterpret_cast<float*>(memory);
    float* const sums = reinterpret_cast<float*>(memory + g.source);
    int64_t* const a_offset = reinterpret_cast<int64_t*>(memory + g.source + g.sums);
    int64_t* const c_offset = a_offset + g.offsets / 8;
    for (int64_t t = 0; t < g.block; ++t) {
      a_offset[t] = t * c.k;
      c_offset[t] = t * c.n;
    }
    const Segment segment{0, c.k};
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b * g.block, count = g.tiles.count - first < g.block ? g.tiles.count - first : g.block;
      winograd_source(g.tiles, first, count, c.x, zeros, source, g.source_place);
      for (int64_t place = 0; place < kPlaces; ++place) {
        for (int64_t p = 0; p < panels.count; ++p) {
          Tile t{};
          t.a = source + place * g.source_place;
          t.a_offset = a_offset;
          t.c = sums + place * g.sums_place + panels.first(p) * W;
          t.c_offset = c_offset;
          t.segments = &segment;
          t.segment_count = 1;
          t.step = 1;
          t.b = filters + (place * panels.width() + panels.first(p) * W) * c.k;
          t.columns = panels.columns_of(p);
          tiles(t, count, panels.size(p));
        }
      }
      scatter(c, g, first, count, sums);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
