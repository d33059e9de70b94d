// conv_planar.cpp: a convolution with few outputs a group, on planes: a tile of output planes x vectors of pixels in
// registers; each step of the sum loads the vectors of a source plane once and broadcasts a weight for each output.
#include "../conv_planes.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct PlanarTile {
  const float* x;         // the planes of the group's first channel, at the tile's first pixel
  const int64_t* offset;  // of every step
  int64_t steps;
  const float* weights;  // [steps][outputs]
  const float* bias;     // of the outputs; null: zero
  bool relu;
  float* y;
  int64_t plane;  // floats between planes of y
};

template <int O, int V>
struct RunTile {
  static void run(const PlanarTile& t) {
    vec sum[O][V];
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) {
      const vec start = broadcast(t.bias == nullptr ? 0.0f : t.bias[o]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[o][v] = start;
    }
    const float* w = t.weights;
    for (int64_t s = 0; s < t.steps; ++s, w += O) {
      const float* const x = t.x + t.offset[s];
      vec xv[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) xv[v] = load(x + v * W);
#pragma GCC unroll 8
      for (int o = 0; o < O; ++o) {
        const vec wv = broadcast(w[o]);
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[o][v] = xv[v] * wv + sum[o][v];
      }
    }
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        if (t.relu) sum[o][v] = at_least(sum[o][v], vec{});
        store(t.y + o * t.plane + v * W, sum[o][v]);
      }
    }
  }
};

// Outputs of a group are computed in parts as equal as can be.
int64_t parts_of(int64_t n) { return (n + kMostSums - 1) / kMostSums; }

// Weights as the tile reads them: for each group and part [row tap][channel][column tap][outputs of the part].
void pack(const Convolution& d, float* packed) {
  const Axis &rows = d.layout.rows, &columns = d.layout.columns;
  const int64_t parts = parts_of(d.n);
  for (int64_t g = 0; g < d.groups; ++g) {
    for (int64_t part = 0; part < parts; ++part) {
      for (int64_t i = 0; i < rows.taps; ++i) {
        for (int64_t k = 0; k < d.k; ++k) {
          for (int64_t j = 0; j < columns.taps; ++j) {
            const float* const from = d.w.data + g * d.w.group + k * d.w.k +
                                      (rows.weight_first + i * rows.weight_step) * d.w.row +
                                      (columns.weight_first + j * columns.weight_step) * d.w.column;
            for (int64_t o = d.n * part / parts; o < d.n * (part + 1) / parts; ++o) *packed++ = from[o * d.w.n];
          }
        }
      }
    }
  }
}

struct Workspace {
  int64_t weights, offsets;  // bytes, shared
  int64_t source, outputs;   // bytes of each thread
  Workspace(const Convolution& d, const Planes& p)
      : weights(float_bytes(d.groups * d.steps() * d.n)),
        offsets(round_up(d.steps() * 8, 64)),
        source(float_bytes(p.source_floats())),
        outputs(float_bytes(d.groups * d.n * p.output_plane())) {}
  int64_t bytes(int32_t threads) const { return weights + offsets + threads * (source + outputs); }
};

// The planes of outputs [first, last) of a group, in tiles of vectors as equal as can be. A row of taps is left out
// where it reads only padding.
void planes_of(const Convolution& d, const Planes& p, const PlaneBlock& block, int64_t group, int64_t first,
               int64_t last, const float* weights, const int64_t* offset, const float* source, float* y) {
  const Axis& rows = d.layout.rows;
  const int64_t outputs = last - first, row_steps = d.k * d.layout.columns.taps, plane = p.output_plane();
  const int64_t vectors = (p.run(block.n) + W - 1) / W, most = kSumColumns[outputs];
  const int64_t tiles = (vectors + most - 1) / most;
  PlanarTile t{};
  t.bias = d.bias == nullptr ? nullptr : d.bias + group * d.n + first;
  t.relu = d.activation == kRelu;
  t.plane = plane;
  for (int64_t i = 0; i < tiles; ++i) {
    const int64_t begin = vectors * i / tiles, end = vectors * (i + 1) / tiles;
    const int64_t top = rows.origin + (block.first + begin * W / p.width) * rows.stride;
    const int64_t bottom = rows.origin + (block.first + (end * W - 1) / p.width) * rows.stride;
    int64_t from = 0, to = rows.taps;
    while (from < to && bottom + from * rows.tap_step < 0) ++from;
    while (to > from && top + (to - 1) * rows.tap_step >= rows.source) --to;
    t.x = source + group * d.k * p.channel() + begin * W;
    t.offset = offset + from * row_steps;
    t.steps = (to - from) * row_steps;
    t.weights = weights + from * row_steps * outputs;
    t.y = y + (group * d.n + first) * plane + begin * W;
    with_sums<RunTile, kMostSums>(outputs, end - begin, t);
  }
}

void write(const Convolution& d, const Planes& p, const PlaneBlock& block, float* planes) {
  const Axis &rows = d.layout.rows, &columns = d.layout.columns;
  const int64_t channels = d.groups * d.n, plane = p.output_plane();
  for (int64_t r = 0; r < block.n; ++r) {
    float* const row = planes + r * p.width;
    if (d.activation > kRelu) {
      for (int64_t o = 0; o < channels; ++o) apply_activation(d.activation, row + o * plane, columns.outputs);
    }
    const int64_t to =
        (block.image * d.y_h + rows.target_first + (block.first + r) * rows.target_step) * d.y_w + columns.target_first;
    planes_to_pixels(row, plane, channels, columns.outputs, d.y + to * channels, columns.target_step * channels);
  }
}

}  // namespace

int64_t planar_scratch(const Convolution& d) { return Workspace(d, Planes(d.layout, d.groups * d.n)).bytes(d.threads); }

void planar(const Convolution& d, char* scratch) {
  const Planes p(d.layout, d.groups * d.n);
  const Workspace workspace(d, p);
  float* const weights = reinterpret_cast<float*>(scratch);
  int64_t* const offset = reinterpret_cast<int64_t*>(scratch + workspace.weights);
  char* const rest = scratch + workspace.weights + workspace.offsets;
  pack(d, weights);
  int64_t* next = offset;
  for (int64_t i = 0; i < d.layout.rows.taps; ++i) {
    for (int64_t k = 0; k < d.k; ++k) {
      for (int64_t j = 0; j < d.layout.columns.taps; ++j) *next++ = k * p.channel() + p.offset(i, j);
    }
  }
  const float* const x_end = d.x + d.layout.images * d.layout.rows.source * d.layout.columns.source * d.layout.channels;
  const int64_t parts = parts_of(d.n), work = p.rows * p.width * (d.steps() + 1) * d.n * d.groups;
  parallel(d.threads, p.count(), grain_of(work), [&](int64_t begin, int64_t end, int64_t chunk) {
    float* const source = reinterpret_cast<float*>(rest + chunk * (workspace.source + workspace.outputs));
    float* const y = source + workspace.source / 4;
    for (int64_t i = begin; i < end; ++i) {
      const PlaneBlock block(p, i);
      to_planes(p, block, d.x, x_end, source);
      for (int64_t g = 0; g < d.groups; ++g) {
        for (int64_t part = 0; part < parts; ++part) {
          const int64_t first = d.n * part / parts, last = d.n * (part + 1) / parts;
          planes_of(d, p, block, g, first, last, weights + (g * d.n + first) * d.steps(), offset, source, y);
        }
      }
      write(d, p, block, y);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
