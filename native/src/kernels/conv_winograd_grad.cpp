// conv_winograd_grad.cpp: the weight gradient of a 3 x 3 convolution by Winograd's F(3 x 3, 2 x 2) (Lavin and Gray 2016):
// the same tiles of the source as conv_winograd.cpp meet the 2 x 2 gradients e of their outputs,
//   dw = A' [sum over tiles of (G e G') * (B' d B)] A,
// so for each of 16 places one product of matrices [k, tiles] x [tiles, n].
//
// Tiles are cut into a number of chunks that depends on sizes alone, each with sums of its own that are added in
// order: the same bits for every thread count.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBlockFloats = 196608;  // of a block of tiles, both sides transformed: 768 KB of a 1 MB L2 cache
constexpr int64_t kMostTiles = 192;       // of a block
constexpr int64_t kMostWeights = 16384;   // pairs of channels: their sums are read and written once a block
constexpr int64_t kMostChunks = 16;
constexpr int64_t kPartialFloats = int64_t{1} << 20;  // of all chunks together

struct WinogradGrad {
  Images x, dy;
  Filter w;
  WinogradTiles tiles;
  Panels panels;
  int64_t block, chunks;
  int64_t source_place, flow_place, sum_place;  // floats
  int64_t shared, source, flow;                 // bytes: of all, then of each thread

  explicit WinogradGrad(const Call& c)
      : x(c.in[0]), dy(c.in[1]), w(c.out[0]), tiles(forward_layout(x, dy, w, ConvAttributes(c))), panels(w.out) {
    block = kBlockFloats / (kPlaces * (w.in + panels.width()));
    if (block > kMostTiles) block = kMostTiles;
    if (block < 24) block = 24;
    if (block > tiles.count) block = tiles.count;
    sum_place = w.in * w.out;
    chunks = kPartialFloats / partial();
    if (chunks < 2) chunks = 2;
    if (chunks > kMostChunks) chunks = kMostChunks;
    if (chunks > tiles.count / block) chunks = tiles.count / block;
    source_place = place_floats(block * w.in);
    flow_place = place_floats(block * panels.width());
    shared = float_bytes(chunks * partial()) + float_bytes(w.in) + 2 * round_up(w.in * 8, 64);
    source = float_bytes(kPlaces * source_place);
    flow = float_bytes(kPlaces * flow_place);
  }
  int64_t partial() const { return kPlaces * sum_place + w.out; }
  int64_t thread_bytes() const { return source + flow; }
};

// G e G' of tiles [first, first + count), to flow[place][panel][tile][columns of the panel], zero past the last column.
void transform_flow(const WinogradGrad& g, int64_t first, int64_t count, const float* dy, float* flow) {
  const int64_t n = g.w.out;
  for (int64_t t = 0; t < count; ++t) {
    const WinogradTiles::Place at = g.tiles.at(first + t);
    const float* const from = dy + ((at.image * g.dy.h + at.row) * g.dy.w + at.column) * n;
    const bool right = at.column + 1 < g.dy.w, below = at.row + 1 < g.dy.h;
    for (int64_t p = 0; p < g.panels.count; ++p) {
      const int64_t start = g.panels.first(p) * W, width = g.panels.size(p) * W;
      float* const to = flow + start * g.block + t * width;
      for (int64_t j = 0; j < width; j += W) {
        const int64_t lanes = n - start - j < W ? n - start - j : W;
        const auto read = [&](bool there, int64_t offset) __attribute__((always_inline)) {
          const float* const e = from + offset * n + start + j;
          return there ? some(e, lanes) : vec{};
        };
        const vec e[4] = {read(true, 0), read(right, 1), read(below, g.dy.w), read(right && below, g.dy.w + 1)};
        vec half[8];
        for (int q = 0; q < 2; ++q) {
          half[q] = e[q];
          half[2 + q] = 0.5f * (e[q] + e[2 + q]);
          half[4 + q] = 0.5f * (e[q] - e[2 + q]);
          half[6 + q] = e[2 + q];
        }
        for (int i = 0; i < 4; ++i) {
          const vec a = half[2 * i], b = half[2 * i + 1];
          float* const line = to + 4 * i * g.flow_place + j;
          store(line, a);
          store(line + g.flow_place, 0.5f * (a + b));
          store(line + 2 * g.flow_place, 0.5f * (a - b));
          store(line + 3 * g.flow_place, b);
        }
      }
    }
  }
}

void add_products(const WinogradGrad& g, int64_t count, bool add, const float* source, const float* flow,
                  const int64_t* a_offset, const int64_t* c_offset, float* sums) {
  const Segment segment{0, count};
  for (int64_t place = 0; place < kPlaces; ++place) {
    for (int64_t p = 0; p < g.panels.count; ++p) {
      Tile t{};
      t.a = source + place * g.source_place;
      t.a_offset = a_offset;
      t.c = sums + place * g.sum_place + g.panels.first(p) * W;
      t.c_offset = c_offset;
      t.segments = &segment;
      t.segment_count = 1;
      t.step = g.w.in;
      t.b = flow + place * g.flow_place + g.panels.first(p) * W * g.block;
      t.columns = g.panels.columns_of(p);
      t.accumulate = add;
      crema::CREMA_ISA::tiles(t, g.w.in, g.panels.size(p));
    }
  }
}

void add_bias(const WinogradGrad& g, int64_t from, int64_t to, const float* dy, float* sums) {
  for (int64_t i = from; i < to; ++i) {
    each(sums, dy + i * g.w.out, sums, g.w.out, [](vec a, vec b) CREMA_LAMBDA { return a + b; });
  }
}

// x .. e to A' [x y z e]'.
CREMA_INLINE void sum_line(vec x, vec y, vec z, vec e, vec* to, int step) {
  const vec both = y + z;
  to[0] = x + both;
  to[step] = y - z;
  to[2 * step] = both - e;
}

// Gradients of pairs [begin, end) of channels.
void finish(const WinogradGrad& g, const float* sums, int64_t begin, int64_t end, float* dw) {
  for (int64_t i = begin; i < end; i += W) {
    const int64_t lanes = end - i < W ? end - i : W;
    vec s[kPlaces], half[12], y[9];
    for (int p = 0; p < kPlaces; ++p) {
      const float* const from = sums + p * g.sum_place + i;
      s[p] = some(from, lanes);
    }
    for (int j = 0; j < 4; ++j) sum_line(s[j], s[4 + j], s[8 + j], s[12 + j], half + j, 4);
    for (int j = 0; j < 3; ++j) sum_line(half[4 * j], half[4 * j + 1], half[4 * j + 2], half[4 * j + 3], y + 3 * j, 1);
    for (int t = 0; t < 9; ++t) {
      float* const to = dw + t * g.sum_place + i;
      put(to, y[t], lanes);
    }
  }
}

}  // namespace

bool winograd_grad_pays(const Call& c) {
  const Filter w(c.out[0]);
  const ConvAttributes a(c);
  return a.groups == 1 && w.in * w.out <= kMostWeights &&
         winograd_pays(forward_layout(Images(c.in[0]), Images(c.in[1]), w, a), w.in, w.out) && Images(c.in[0]).n > 0;
}

int64_t winograd_grad_scratch(const Call& c) {
  const WinogradGrad g(c);
  return g.shared + c.threads * g.thread_bytes();
}

void winograd_grad(const Call& c) {
  const WinogradGrad g(c);
  const float *const x = c.in[0].f32(), *const dy = c.in[1].f32();
  float* const partials = reinterpret_cast<float*>(c.scratch);
  float* const zeros = reinterpret_cast<float*>(c.scratch + float_bytes(g.chunks * g.partial()));
  int64_t* const a_offset = reinterpret_cast<int64_t*>(reinterpret_cast<char*>(zeros) + float_bytes(g.w.in));
  int64_t* const c_offset = a_offset + round_up(g.w.in * 8, 64) / 8;
  std::memset(zeros, 0, static_cast<size_t>(g.w.in) * sizeof(float));
  for (int64_t k = 0; k < g.w.in; ++k) {
    a_offset[k] = k;
    c_offset[k] = k * g.w.out;
  }
  const int64_t work = g.tiles.count * kPlaces * g.sum_place / g.chunks, pixels = g.dy.pixels();
  parallel(c.threads, g.chunks, grain_of(work), [&](int64_t begin, int64_t end, int64_t thread) {
    char* const memory = c.scratch + g.shared + thread * g.thread_bytes();
    float* const source = reinterpret_cast<float*>(memory);
    float* const flow = reinterpret_cast<float*>(memory + g.source);
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      float* const sums = partials + chunk * g.partial();
      float* const bias = sums + kPlaces * g.sum_place;
      const int64_t from = g.tiles.count * chunk / g.chunks, to = g.tiles.count * (chunk + 1) / g.chunks;
      for (int64_t first = from; first < to; first += g.block) {
        const int64_t count = to - first < g.block ? to - first : g.block;
        winograd_source(g.tiles, first, count, x, zeros, source, g.source_place);
        transform_flow(g, first, count, dy, flow);
        add_products(g, count, first != from, source, flow, a_offset, c_offset, sums);
      }
      std::memset(bias, 0, static_cast<size_t>(g.w.out) * sizeof(float));
      if (c.outs > 1) add_bias(g, pixels * chunk / g.chunks, pixels * (chunk + 1) / g.chunks, dy, bias);
    }
  });
  const auto add = [](vec a, vec b) CREMA_LAMBDA { return a + b; };
  parallel(c.threads, g.sum_place, 1 << 12, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t k = 1; k < g.chunks; ++k) {
      for (int64_t p = 0; p < kPlaces; ++p) {
        float* const to = partials + p * g.sum_place + begin;
        each(to, to + k * g.partial(), to, end - begin, add);
      }
    }
    finish(g, partials, begin, end, c.out[0].f32());
  });
  if (c.outs < 2) return;
  float* const bias = partials + kPlaces * g.sum_place;
  for (int64_t k = 1; k < g.chunks; ++k) each(bias, bias + k * g.partial(), bias, g.w.out, add);
  std::memcpy(c.out[1].f32(), bias, static_cast<size_t>(g.w.out) * sizeof(float));
}

}  // namespace CREMA_ISA
}  // namespace crema
