// conv_planar_grad.cpp: the weight gradient where groups have few outputs, on planes (conv_planes.h): products of a
// plane of x, moved by a tap, with a plane of dy, summed over the pixels a vector at a time. What lies behind the
// outputs of a row is zero in dy, so an infinity in x may become NaN in more weights than those whose window it meets.
//
// Images are cut into a number of chunks that depends on sizes alone, each with sums of its own that are added in
// order: the same bits for every thread count.
#include "../conv_planes.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kMostChunks = 16;
constexpr int64_t kPartialFloats = int64_t{1} << 20;  // of all chunks together
constexpr int64_t kSumFloats = int64_t{1} << 17;      // of one chunk, W for each weight: half an L2 cache of 1 MB

// Rows of weights whose sums are in registers, for so many outputs.
#if defined(__AVX512F__) || defined(__ARM_NEON)
constexpr int kRows[kMostSums + 1] = {0, 8, 8, 8, 6, 5, 4, 3, 2};
#else
constexpr int kRows[kMostSums + 1] = {0, 8, 6, 3, 2, 1, 1};
#endif

struct GradTile {
  const float* x;
  const int64_t* offset;  // of each row of weights
  const float* dy;
  int64_t plane;  // floats between planes of dy
  int64_t vectors;
  bool add;     // to what the sums hold
  float* sums;  // [rows][outputs][W]
};

template <int R, int O>
void run(const GradTile& t) {
  vec sum[R][O];
  const float* x[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    x[r] = t.x + t.offset[r];
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) sum[r][o] = t.add ? load(t.sums + (r * O + o) * W) : vec{};
  }
  const float* dy = t.dy;
  const int64_t end = t.vectors * W;
  for (int64_t i = 0; i < end; i += W) {
    vec d[O];
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) d[o] = load(dy + o * t.plane + i);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const vec xv = load(x[r] + i);
#pragma GCC unroll 8
      for (int o = 0; o < O; ++o) sum[r][o] = xv * d[o] + sum[r][o];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) store(t.sums + (r * O + o) * W, sum[r][o]);
  }
}

template <int O, int R>
void run_rows(int64_t rows, const GradTile& t) {
  if (rows == R) return run<R, O>(t);
  if constexpr (R > 1) run_rows<O, R - 1>(rows, t);
}
template <int O>
void run_tile(int64_t outputs, int64_t rows, const GradTile& t) {
  if (outputs == O) return run_rows<O, kRows[O]>(rows, t);
  if constexpr (O > 1) run_tile<O - 1>(outputs, rows, t);
}

struct PlanarGrad {
  Images x, dy;
  Filter w;
  ConvAttributes a;
  Planes planes;
  int64_t n, rows, parts, chunks;
  int64_t source, outputs, sums, offsets;  // bytes: of each thread, the last shared

  explicit PlanarGrad(const Call& c)
      : x(c.in[0]),
        dy(c.in[1]),
        w(c.out[0]),
        a(c),
        planes(forward_layout(x, dy, w, a), w.out),
        n(w.out / a.groups),
        rows(w.h * w.w * w.in),
        parts((n + kMostSums - 1) / kMostSums) {
    chunks = kPartialFloats / partial();
    if (chunks > kMostChunks) chunks = kMostChunks;
    if (chunks > planes.count()) chunks = planes.count();
    source = float_bytes(planes.source_floats());
    outputs = float_bytes(w.out * planes.output_plane());
    sums = float_bytes(partial() * W);
    offsets = round_up(rows * 8, 64);
  }
  int64_t partial() const { return w.elements() + w.out; }
  int64_t thread_bytes() const { return source + outputs + sums; }
};

void dy_to_planes(const PlanarGrad& g, const PlaneBlock& b, const float* dy, const float* dy_end, float* planes) {
  const Planes& p = g.planes;
  const int64_t columns = p.layout.columns.outputs, plane = p.output_plane();
  for (int64_t r = 0; r < b.n; ++r) {
    const int64_t pixel = (b.image * p.layout.rows.outputs + b.first + r) * columns;
    float* const row = planes + r * p.width;
    pixels_to_planes(dy + pixel * g.w.out, dy_end, g.w.out, g.w.out, columns, row, plane);
    const int64_t surplus = p.width - columns + (r + 1 == b.n ? W : 0);
    for (int64_t o = 0; o < g.w.out; ++o) {
      for (int64_t j = 0; j < surplus; ++j) row[o * plane + columns + j] = 0.0f;
    }
  }
}

void add_block(const PlanarGrad& g, const PlaneBlock& b, const float* x, const int64_t* offset, const float* dy,
               bool add, float* sums) {
  const Planes& p = g.planes;
  GradTile t{};
  t.plane = p.output_plane();
  t.vectors = (p.run(b.n) + W - 1) / W;
  t.add = add;
  t.sums = sums;
  for (int64_t group = 0; group < g.a.groups; ++group) {
    t.x = x + group * g.w.in * p.channel();
    for (int64_t part = 0; part < g.parts; ++part) {
      const int64_t first = g.n * part / g.parts, count = g.n * (part + 1) / g.parts - first;
      t.dy = dy + (group * g.n + first) * t.plane;
      const int64_t tiles = (g.rows + kRows[count] - 1) / kRows[count];
      for (int64_t i = 0; i < tiles; ++i) {
        const int64_t begin = g.rows * i / tiles, end = g.rows * (i + 1) / tiles;
        t.offset = offset + begin;
        run_tile<kMostSums>(count, end - begin, t);
        t.sums += (end - begin) * count * W;
      }
    }
  }
  for (int64_t o = 0; o < g.w.out; ++o, t.sums += W) {  // of the bias
    vec sum = add ? load(t.sums) : vec{};
    for (int64_t i = 0; i < t.vectors; ++i) sum += load(dy + o * t.plane + i * W);
    store(t.sums, sum);
  }
}

// Sums over the lanes, to [row][output of all groups] and the bias.
void finish(const PlanarGrad& g, const float* sums, float* dw, float* db) {
  for (int64_t group = 0; group < g.a.groups; ++group) {
    for (int64_t part = 0; part < g.parts; ++part) {
      const int64_t first = group * g.n + g.n * part / g.parts, last = group * g.n + g.n * (part + 1) / g.parts;
      for (int64_t row = 0; row < g.rows; ++row) {
        for (int64_t o = first; o < last; ++o, sums += W) dw[row * g.w.out + o] = hsum(load(sums));
      }
    }
  }
  for (int64_t o = 0; o < g.w.out; ++o, sums += W) db[o] = hsum(load(sums));
}

}  // namespace

// Depthwise gradients run along channels (conv_depthwise.cpp), twice as fast.
bool planar_grad_pays(const Call& c) {
  const Filter w(c.out[0]);
  const ConvAttributes a(c);
  const bool depthwise = w.in == 1 && a.groups > 1;
  return !depthwise &&
         planes_pay(forward_layout(Images(c.in[0]), Images(c.in[1]), w, a), a.groups, w.in, w.out / a.groups) &&
         (w.elements() + w.out) * W <= kSumFloats;
}

int64_t planar_grad_scratch(const Call& c) {
  const PlanarGrad g(c);
  return float_bytes(g.chunks * g.partial()) + g.offsets + c.threads * g.thread_bytes();
}

void planar_grad(const Call& c) {
  const PlanarGrad g(c);
  float* const partials = reinterpret_cast<float*>(c.scratch);
  int64_t* const offset = reinterpret_cast<int64_t*>(c.scratch + float_bytes(g.chunks * g.partial()));
  char* const rest = reinterpret_cast<char*>(offset) + g.offsets;
  for (int64_t i = 0; i < g.rows; ++i) {
    const int64_t tap = i / g.w.in;
    offset[i] = i % g.w.in * g.planes.channel() + g.planes.offset(tap / g.w.w, tap % g.w.w);
  }
  const float *const x = c.in[0].f32(), *const dy = c.in[1].f32();
  const int64_t n = g.planes.count(), work = g.planes.layout.outputs() * g.w.elements() / g.a.groups / g.chunks;
  parallel(c.threads, g.chunks, grain_of(work), [&](int64_t begin, int64_t end, int64_t thread) {
    char* const memory = rest + thread * g.thread_bytes();
    float* const source = reinterpret_cast<float*>(memory);
    float* const outputs = reinterpret_cast<float*>(memory + g.source);
    float* const sums = reinterpret_cast<float*>(memory + g.source + g.outputs);
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      const int64_t from = n * chunk / g.chunks;
      for (int64_t i = from; i < n * (chunk + 1) / g.chunks; ++i) {
        const PlaneBlock block(g.planes, i);
        to_planes(g.planes, block, x, x + c.in[0].elements(), source);
        dy_to_planes(g, block, dy, dy + c.in[1].elements(), outputs);
        add_block(g, block, source, offset, outputs, i != from, sums);
      }
      float* const to = partials + chunk * g.partial();
      finish(g, sums, to, to + g.w.elements());
    }
  });
  const int64_t elements = g.w.elements();
  for (int64_t k = 0; k < g.chunks; ++k) {
    const auto put = [&](const float* from, float* to, int64_t count) {
      if (k == 0) return each(from, to, count, [](vec a) CREMA_LAMBDA { return a; });
      each(to, from, to, count, [](vec a, vec b) CREMA_LAMBDA { return a + b; });
    };
    put(partials + k * g.partial(), c.out[0].f32(), elements);
    if (c.outs > 1) put(partials + k * g.partial() + elements, c.out[1].f32(), g.w.out);
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
