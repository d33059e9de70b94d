// conv_winograd_grad.cpp: the weight gradient of a 3 x 3 or 5 x 5 convolution by Winograd's F(r x r, 2 x 2) (Lavin and
// Gray 2016): the same tiles of the source as conv_winograd.cpp meet the 2 x 2 gradients e of their outputs,
//   dw = A' [sum over tiles of (G e G') * (B' d B)] A,
// so for each place of a tile one product of matrices [k, tiles] x [tiles, n].
//
// Tiles are cut into a number of chunks that depends on sizes alone, each with sums of its own that are added in
// order: the same bits for every thread count.
#include "../conv_winograd.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBlockFloats = 196608;  // of a block of tiles, both sides transformed: 768 KB of a 1 MB L2 cache
constexpr int64_t kMostTiles = 192;       // of a block
constexpr int64_t kMostSumFloats = 1 << 18;  // of all places: they are read and written once a block
constexpr int64_t kMostChunks = 16;
constexpr int64_t kPartialFloats = int64_t{1} << 20;  // of all chunks together

struct WinogradGrad {
  Images x, dy;
  Filter w;
  WinogradTiles tiles;
  Panels panels;
  int64_t places, block, chunks;
  int64_t source_place, flow_place, sum_place;  // floats
  int64_t shared, source, flow;                 // bytes: of all, then of each thread

  explicit WinogradGrad(const Call& c)
      : x(c.in[0]), dy(c.in[1]), w(c.out[0]), tiles(forward_layout(x, dy, w, ConvAttributes(c))), panels(w.out) {
    places = tiles.places();
    block = kBlockFloats / (places * (w.in + panels.width()));
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
    source = float_bytes(places * source_place);
    flow = float_bytes(places * flow_place);
  }
  int64_t partial() const { return places * sum_place + w.out; }
  int64_t thread_bytes() const { return source + flow; }
};

// G of a line of two gradients, by the points of source_line; under 5 x 5 without the factors that sum_line has.
template <int Edge>
CREMA_INLINE void flow_line(vec a, vec b, vec* to) {
  static_assert(Edge == 4 || Edge == 6);
  to[0] = a;
  if constexpr (Edge == 4) {
    to[1] = 0.5f * (a + b);
    to[2] = 0.5f * (a - b);
    to[3] = b;
  } else {
    to[1] = a + b;
    to[2] = a - b;
    to[3] = a + 2.0f * b;
    to[4] = a - 0.5f * b;
    to[5] = b;
  }
}

// G e G' of tiles [first, first + count), to flow[place][panel][tile][columns of the panel], zero past the last column.
template <int Edge>
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
        vec left[Edge], other[Edge], line[Edge];
        flow_line<Edge>(e[0], e[2], left);
        flow_line<Edge>(e[1], e[3], other);
        for (int i = 0; i < Edge; ++i) {
          flow_line<Edge>(left[i], other[i], line);
          for (int q = 0; q < Edge; ++q) store(to + (Edge * i + q) * g.flow_place + j, line[q]);
        }
      }
    }
  }
}

void add_products(const WinogradGrad& g, int64_t count, bool add, const float* source, const float* flow,
                  const int64_t* a_offset, const int64_t* c_offset, float* sums) {
  const Segment segment{0, count};
  for (int64_t place = 0; place < g.places; ++place) {
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

// A' of a line of sums.
template <int Edge>
CREMA_INLINE void sum_line(const vec* m, int step, vec* to, int to_step) {
  if constexpr (Edge == 4) {
    const vec both = m[step] + m[2 * step];
    to[0] = m[0] + both;
    to[to_step] = m[step] - m[2 * step];
    to[2 * to_step] = both - m[3 * step];
  } else {
    const vec b = (-1.0f / 3) * m[step], c = (1.0f / 3) * m[2 * step];
    const vec d = (1.0f / 15) * m[3 * step], e = (-16.0f / 15) * m[4 * step];
    const vec both = b + c, difference = b - c;
    to[0] = m[0] + both + (d + e);
    to[to_step] = difference + (2.0f * d - 0.5f * e);
    to[2 * to_step] = both + (4.0f * d + 0.25f * e);
    to[3 * to_step] = difference + (8.0f * d - 0.125f * e);
    to[4 * to_step] = both + (16.0f * d + 0.0625f * e) + m[5 * step];
  }
}

// Gradients of pairs [begin, end) of channels.
template <int Edge>
void finish(const WinogradGrad& g, const float* sums, int64_t begin, int64_t end, float* dw) {
  for (int64_t i = begin; i < end; i += W) {
    const int64_t lanes = end - i < W ? end - i : W;
    constexpr int kTaps = Edge - 1;
    vec s[Edge * Edge], half[kTaps * Edge], y[kTaps * kTaps];
    for (int p = 0; p < Edge * Edge; ++p) {
      const float* const from = sums + p * g.sum_place + i;
      s[p] = some(from, lanes);
    }
    for (int j = 0; j < Edge; ++j) sum_line<Edge>(s + j, Edge, half + j, Edge);
    for (int j = 0; j < kTaps; ++j) sum_line<Edge>(half + Edge * j, 1, y + kTaps * j, 1);
    for (int t = 0; t < kTaps * kTaps; ++t) {
      float* const to = dw + t * g.sum_place + i;
      put(to, y[t], lanes);
    }
  }
}

}  // namespace

bool winograd_grad_pays(const Call& c) {
  const Filter w(c.out[0]);
  const ConvAttributes a(c);
  return a.groups == 1 && (w.h + 1) * (w.h + 1) * w.in * w.out <= kMostSumFloats &&
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
  const int64_t work = g.tiles.count * g.places * g.sum_place / g.chunks, pixels = g.dy.pixels();
  const auto flow_of = g.tiles.edge() == 4 ? transform_flow<4> : transform_flow<6>;
  const auto finished = g.tiles.edge() == 4 ? finish<4> : finish<6>;
  parallel(c.threads, g.chunks, grain_of(work), [&](int64_t begin, int64_t end, int64_t thread) {
    char* const memory = c.scratch + g.shared + thread * g.thread_bytes();
    float* const source = reinterpret_cast<float*>(memory);
    float* const flow = reinterpret_cast<float*>(memory + g.source);
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      float* const sums = partials + chunk * g.partial();
      float* const bias = sums + g.places * g.sum_place;
      const int64_t from = g.tiles.count * chunk / g.chunks, to = g.tiles.count * (chunk + 1) / g.chunks;
      for (int64_t first = from; first < to; first += g.block) {
        const int64_t count = to - first < g.block ? to - first : g.block;
        winograd_source(g.tiles, first, count, x, zeros, source, g.source_place);
        flow_of(g, first, count, dy, flow);
        add_products(g, count, first != from, source, flow, a_offset, c_offset, sums);
      }
      std::memset(bias, 0, static_cast<size_t>(g.w.out) * sizeof(float));
      if (c.outs > 1) add_bias(g, pixels * chunk / g.chunks, pixels * (chunk + 1) / g.chunks, dy, bias);
    }
  });
  const auto add = [](vec a, vec b) CREMA_LAMBDA { return a + b; };
  parallel(c.threads, g.sum_place, 1 << 12, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t k = 1; k < g.chunks; ++k) {
      for (int64_t p = 0; p < g.places; ++p) {
        float* const to = partials + p * g.sum_place + begin;
        each(to, to + k * g.partial(), to, end - begin, add);
      }
    }
    finished(g, partials, begin, end, c.out[0].f32());
  });
  if (c.outs < 2) return;
  float* const bias = partials + g.places * g.sum_place;
  for (int64_t k = 1; k < g.chunks; ++k) each(bias, bias + k * g.partial(), bias, g.w.out, add);
  std::memcpy(c.out[1].f32(), bias, static_cast<size_t>(g.w.out) * sizeof(float));
}

}  // namespace CREMA_ISA
}  // namespace crema
