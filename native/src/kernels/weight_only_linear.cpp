// weight_only_linear.cpp: dense layers with weights of few bits; weight_only.h says how they are stored and multiplied.
#include "../fp8.h"
#include "../gemm_paths.h"
#include "../weight_only.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kPanel = 2 * W;  // columns
constexpr int64_t kRows = 4;       // most rows of x that a weight is multiplied by once it is float32
// Beyond, w is float32 in the cache before it is multiplied. 1024x1024 on Zen 3, of the time of float32: 16 rows 0.9 in
// fours, 1.3 through the cache; 32 rows 1.03 in blocks of 512 KB, which the L2 cache holds, 1.18 in blocks of 2 MB.
constexpr int64_t kFewRows = 16;
constexpr int64_t kBlockFloats = 128 << 10;
constexpr int64_t kAheadBytes = 2048;      // between what is fetched and what is read
constexpr int64_t kGrain = 500000;         // multiply-adds worth waking a thread for: about 5 µs
constexpr int64_t kUnpackGrain = 1 << 16;  // weights

static_assert(kFewRows >= 4, "gemm reads packed weights alone only for more rows");

// W bytes.
CREMA_INLINE vec widen(const int8_t* p) {
#if defined(__AVX512F__)
  return (vec)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#elif defined(__AVX2__)
  return (vec)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#else
  typedef int8_t bytes __attribute__((vector_size(W)));
  bytes b;
  std::memcpy(&b, p, W);
  return to_float(__builtin_convertvector(b, veci));
#endif
}

template <FewBits Format>
CREMA_INLINE vec number_of(const int8_t* p) {
  return Format == FewBits::kFp8 ? of_fp8(some_bytes(reinterpret_cast<const uint8_t*>(p), W)) : widen(p);
}

// The i-th four bits of every word.
CREMA_INLINE vec nibble(veci words, int i) {
#if defined(__AVX512F__)
  // A permutation looks at the lowest four bits of an index.
  const __m512 numbers = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
  return (vec)_mm512_permutexvar_ps((__m512i)(words >> (4 * i)), numbers);
#else
  return to_float((words << (28 - 4 * i)) >> 28);
#endif
}

struct Panel {
  const float* x = nullptr;  // rows ldx apart
  int64_t ldx = 0, k = 0, group = 0;
  const void* weights = nullptr;
  const float* scales = nullptr;  // groups scale_step apart
  int64_t scale_step = 0;
  const float* bias = nullptr;
  float* y = nullptr;
  int64_t ldy = 0, columns = 0;
  bool relu = false;
};

// Steps [p, end) of a group, added to sums, of which consecutive steps take turns: an addition does not wait for the one
// before it.
template <FewBits Format, int Rows, int Vectors, int Chains>
CREMA_INLINE void add_bytes(const Panel& t, int64_t p, int64_t end, vec (&sum)[Chains][Rows][Vectors]) {
  const int8_t* w = static_cast<const int8_t*>(t.weights) + p * Vectors * W;
  const auto at = [&](int c) CREMA_LAMBDA {
    vec q[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) q[v] = number_of<Format>(w + v * W);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const vec x = broadcast(t.x[r * t.ldx + p]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sum[c][r][v] = x * q[v] + sum[c][r][v];
    }
    w += Vectors * W;
    ++p;
  };
  while (p + 4 <= end) {
    for (int64_t b = 0; b < 4 * Vectors * W; b += 64) __builtin_prefetch(w + kAheadBytes + b);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) at(i % Chains);
  }
  while (p < end) at(0);
}

template <int Rows, int Vectors, int Chains>
CREMA_INLINE void add_nibbles(const Panel& t, int64_t p, int64_t end, vec (&sum)[Chains][Rows][Vectors]) {
  const int32_t* w = static_cast<const int32_t*>(t.weights) + p / kNibbles * Vectors * W;
  veci words[Vectors];
  const auto at = [&](int i, int c) CREMA_LAMBDA {
    vec q[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) q[v] = nibble(words[v], i);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const vec x = broadcast(t.x[r * t.ldx + p + i]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sum[c][r][v] = x * q[v] + sum[c][r][v];
    }
  };
  for (; p < end; p += kNibbles, w += Vectors * W) {
    for (int64_t b = 0; b < 4 * Vectors * W; b += 64) {
      __builtin_prefetch(reinterpret_cast<const char*>(w) + kAheadBytes + b);
    }
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) words[v] = loadi(w + v * W);
    if (p + kNibbles <= end) {
#pragma GCC unroll 8
      for (int i = 0; i < kNibbles; ++i) at(i, i % Chains);
    } else {
      for (int i = 0; i < end - p; ++i) at(i, 0);
    }
  }
}

template <FewBits Format, int Rows, int Vectors>
void few(const Panel& t) {
  constexpr int chains = Rows == 1 ? 4 : Rows == 2 ? 2 : 1;  // registers
  vec total[Rows][Vectors] = {};
  const float* scales = t.scales;
  for (int64_t p = 0; p < t.k; p += t.group, scales += t.scale_step) {
    const int64_t end = t.k - p < t.group ? t.k : p + t.group;
    vec sum[chains][Rows][Vectors] = {};
    if (Format == FewBits::kInt4) {
      add_nibbles<Rows, Vectors, chains>(t, p, end, sum);
    } else {
      add_bytes<Format, Rows, Vectors, chains>(t, p, end, sum);
    }
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        vec all = sum[0][r][v];
#pragma GCC unroll 4
        for (int c = 1; c < chains; ++c) all = all + sum[c][r][v];
        total[r][v] = all * load(scales + v * W) + total[r][v];
      }
    }
  }
  for (int v = 0; v < Vectors; ++v) {
    const int64_t left = t.columns - v * W;
    const vec bias = t.bias == nullptr ? vec{} : some(t.bias + v * W, left);
    for (int r = 0; r < Rows; ++r) {
      const vec value = total[r][v] + bias;
      put(t.y + r * t.ldy + v * W, t.relu ? at_least(value, vec{}) : value, left);
    }
  }
}

using FewFunction = void (*)(const Panel&);

template <FewBits Format, int Vectors>
FewFunction few_of(int64_t rows) {
  switch (rows) {
    case 1: return few<Format, 1, Vectors>;
    case 2: return few<Format, 2, Vectors>;
    default: return few<Format, 4, Vectors>;
  }
}

template <FewBits Format>
FewFunction few_of(int64_t rows, int64_t columns) {
  return columns > W ? few_of<Format, 2>(rows) : few_of<Format, 1>(rows);
}

FewFunction few_of(FewBits format, int64_t rows, int64_t columns) {
  switch (format) {
    case FewBits::kInt8: return few_of<FewBits::kInt8>(rows, columns);
    case FewBits::kInt4: return few_of<FewBits::kInt4>(rows, columns);
    default: return few_of<FewBits::kFp8>(rows, columns);
  }
}

// Where the panel of column j, a multiple of kPanel, begins.
const void* panel_of(const WeightOnlyProduct& g, int64_t j) {
  const char* const bytes = reinterpret_cast<const char*>(g.packed);
  return bytes + j * (g.format == FewBits::kInt4 ? (g.k + kNibbles - 1) / kNibbles * 4 : g.k);
}

const float* scales_of(const WeightOnlyProduct& g) {
  return reinterpret_cast<const float*>(g.packed + weight_only_words(g.n, g.k, g.format));
}

void few_rows(const WeightOnlyProduct& g, int32_t threads) {
  const int64_t panels = (g.n + kPanel - 1) / kPanel;
  const int64_t work = g.m * kPanel * (g.k < 1 ? 1 : g.k);
  parallel(threads, panels, (kGrain + work - 1) / work, [&](int64_t begin, int64_t end, int64_t) {
    const int64_t stop = end * kPanel < g.n ? end * kPanel : g.n;
    Panel t;
    t.ldx = g.k;
    t.ldy = g.n;
    t.k = g.k;
    t.group = g.group;
    t.scale_step = weight_only_columns(g.n);
    t.relu = g.activation == kRelu;
    for (int64_t j = begin * kPanel; j < stop; j += kPanel) {
      t.columns = stop - j < kPanel ? stop - j : kPanel;
      t.weights = panel_of(g, j);
      t.scales = scales_of(g) + j;
      if (g.bias != nullptr) t.bias = g.bias + j;
      for (int64_t row = 0, rows = kRows; row < g.m; row += rows) {
        while (rows > g.m - row) rows /= 2;
        t.x = g.x + row * g.k;
        t.y = g.y + row * g.n + j;
        few_of(g.format, rows, t.columns)(t);
      }
    }
    if (g.activation <= kRelu) return;
    for (int64_t i = 0; i < g.m; ++i) {
      apply_activation(g.activation, g.y + i * g.n + begin * kPanel, stop - begin * kPanel);
    }
  });
}

// The panel of column j as gemm reads it.
template <FewBits Format>
void unpack(const WeightOnlyProduct& g, int64_t j, float* panel) {
  const int64_t width = round_up_to(g.n - j < kPanel ? g.n - j : kPanel, W), step = weight_only_columns(g.n);
  const void* const weights = panel_of(g, j);
  for (int64_t v = 0; v < width; v += W) {
    const float* scales = scales_of(g) + j + v;
    for (int64_t p = 0; p < g.k; scales += step) {
      const vec scale = load(scales);
      const int64_t end = g.k - p < g.group ? g.k : p + g.group;
      if (Format != FewBits::kInt4) {
        const int8_t* const w = static_cast<const int8_t*>(weights) + v;
        for (; p < end; ++p) store(panel + p * width + v, number_of<Format>(w + p * width) * scale);
        continue;
      }
      const int32_t* const w = static_cast<const int32_t*>(weights) + v;
      for (; p + kNibbles <= end; p += kNibbles) {
        const veci words = loadi(w + p / kNibbles * width);
#pragma GCC unroll 8
        for (int i = 0; i < kNibbles; ++i) store(panel + (p + i) * width + v, nibble(words, i) * scale);
      }
      for (int i = 0; p < end; ++p, ++i) store(panel + p * width + v, nibble(loadi(w + p / kNibbles * width), i) * scale);
    }
  }
}

int64_t block_columns(int64_t n, int64_t k) {
  const int64_t fit = kBlockFloats / (k < 1 ? 1 : k) / kPanel * kPanel, all = round_up_to(n, kPanel);
  return fit < kPanel ? kPanel : fit < all ? fit : all;
}

int64_t block_bytes(int64_t n, int64_t k) {
  return round_up_to(block_columns(n, k) * k * static_cast<int64_t>(sizeof(float)), 64);
}

void many_rows(const WeightOnlyProduct& g, char* scratch, int32_t threads) {
  const int64_t block = block_columns(g.n, g.k);
  float* const w = reinterpret_cast<float*>(scratch);
  for (int64_t from = 0; from < g.n; from += block) {
    const int64_t columns = g.n - from < block ? g.n - from : block;
    const int64_t work = kPanel * (g.k < 1 ? 1 : g.k);
    parallel(threads, (columns + kPanel - 1) / kPanel, (kUnpackGrain + work - 1) / work,
             [&](int64_t begin, int64_t end, int64_t) {
               for (int64_t i = begin; i < end; ++i) {
                 const int64_t j = i * kPanel;
                 float* const panel = w + j * g.k;
                 switch (g.format) {
                   case FewBits::kInt8: unpack<FewBits::kInt8>(g, from + j, panel); break;
                   case FewBits::kInt4: unpack<FewBits::kInt4>(g, from + j, panel); break;
                   default: unpack<FewBits::kFp8>(g, from + j, panel);
                 }
               }
             });
    Gemm part;
    part.m = g.m;
    part.n = columns;
    part.k = g.k;
    part.a = g.x;
    part.lda = g.k;
    part.b = part.packed_b = w;
    part.c = g.y + from;
    part.ldc = g.n;
    if (g.bias != nullptr) part.bias = g.bias + from;
    part.activation = g.activation;
    gemm_parallel(part, scratch + block_bytes(g.n, g.k), threads);
  }
}

// A product of one column is few, too: gemm would read it as it lies.
bool is_few(int64_t m, int64_t n) { return m <= kFewRows || n == 1; }

int8_t rounded(float w, float scale, FewBits format) {
  if (format == FewBits::kFp8) return static_cast<int8_t>(to_fp8(broadcast(w / scale))[0]);
  const float most = format == FewBits::kInt8 ? 127 : 7;
  const float v = __builtin_rintf(w / scale);
  return static_cast<int8_t>(v != v ? 0.0f : v < -most ? -most : v > most ? most : v);
}

}  // namespace

void pack_weight_only(const float* w, const float* scales, int64_t n, int64_t k, FewBits format, int64_t group,
                      int32_t* packed) {
  const int64_t groups = (k + group - 1) / group, columns = weight_only_columns(n);
  float* const to = reinterpret_cast<float*>(packed + weight_only_words(n, k, format));
  std::memset(packed, 0, static_cast<size_t>(weight_only_words(n, k, format) + groups * columns) * sizeof(int32_t));
  for (int64_t i = 0; i < groups; ++i) std::memcpy(to + i * columns, scales + i * n, static_cast<size_t>(n) * sizeof(float));
  const int64_t steps = (k + kNibbles - 1) / kNibbles;
  for (int64_t p = 0; p < k; ++p) {
    const float* const scale = scales + p / group * n;
    for (int64_t j = 0; j < n; ++j) {
      const int64_t panel = j / kPanel * kPanel, width = round_up_to(n - panel < kPanel ? n - panel : kPanel, W);
      const int8_t q = rounded(w[p * n + j], scale[j], format);
      if (format == FewBits::kInt4) {
        reinterpret_cast<uint32_t*>(packed)[panel * steps + p / kNibbles * width + j - panel] |=
            (static_cast<uint32_t>(q) & 15u) << (4 * (p % kNibbles));
      } else {
        reinterpret_cast<int8_t*>(packed)[panel * k + p * width + j - panel] = q;
      }
    }
  }
}

int64_t weight_only_scratch(int64_t m, int64_t n, int64_t k, int32_t threads) {
  if (is_few(m, n)) return 0;
  return block_bytes(n, k) + gemm_parallel_scratch(m, block_columns(n, k), k, threads);
}

void weight_only_product(const WeightOnlyProduct& g, char* scratch, int32_t threads) {
  if (g.m <= 0 || g.n <= 0) return;
  if (is_few(g.m, g.n)) {
    few_rows(g, threads);
  } else {
    many_rows(g, scratch, threads);
  }
}

static FewBits format_of(int64_t bits) { return bits == 8 ? FewBits::kInt8 : FewBits::kInt4; }

static int64_t linear_scratch(const Call& c) {
  return weight_only_scratch(c.in[0].rows(), c.out[0].last(), c.in[0].last(), c.threads);
}

// The rows of w that share a scale: 0 stands for all of them.
static int64_t group_of(int64_t rows, int64_t k) { return rows > 0 ? rows : k < 1 ? 1 : k; }

// weight_only_linear: in: x [..., k], packed (pack_weight_only's), bias [n] (optional); out: y [..., n].
// ints: activation (gemm.h), bits: 8 or 4, rows of w that share a scale (0: all).
CREMA_KERNEL_SCRATCH(weight_only_linear, linear_scratch) {
  WeightOnlyProduct g;
  g.m = c.in[0].rows();
  g.n = c.out[0].last();
  g.k = c.in[0].last();
  g.x = c.in[0].f32();
  g.packed = c.in[1].i32();
  g.bias = c.ins > 2 && c.in[2].present() ? c.in[2].f32() : nullptr;
  g.y = c.out[0].f32();
  g.activation = static_cast<Activation>(c.ints[0]);
  g.format = format_of(c.ints[1]);
  g.group = group_of(c.ints[2], g.k);
  weight_only_product(g, c.scratch, c.threads);
}

// pack_weight_only: in: packed (written in place), w [k, n], scales [groups, n]. ints: bits, rows of w that share a scale
// (0: all).
CREMA_KERNEL(pack_weight_only) {
  const Tensor& w = c.in[1];
  const int64_t k = w.rows(), n = w.last();
  pack_weight_only(w.f32(), c.in[2].f32(), n, k, format_of(c.ints[0]), group_of(c.ints[1], k), c.in[0].i32());
}

}  // namespace CREMA_ISA
}  // namespace crema
