// gemm_parallel.cpp: a product shared by threads: each takes a range of rows or of columns, never of k.
//
// These kernels or OpenBLAS? One Zen 5 core, OpenBLAS 0.3.31 (core SKYLAKEX), the time of OpenBLAS over ours, both
// in turns in one run of the kernel `gemm` below (above 1: ours is faster; n: as stored, t: transposed):
//   squares 512, 1024, 2048: 1.05, 0.99, 0.89 to 0.95 | 256x1024x1024 nn 1.04, nt 1.09 | 784x1024x256 tn 1.03 | 3136x64x576 1.19
//   32x1024x1024 nn 1.4, nt 1.8 | 8x1024x1024 2.5 | 4x1024x1024 5 | 1x1024x1024 nn 7, nt 10 | 1024x1x1024 4.4
//   32x64x100 0.95 | 100x64x32 tn 0.9 | 32x100x64 nt 1.6 | 64x64x64 0.9 | 1x64x100 1.08 | 256x10x1024 1.45
// OpenBLAS leads by at most an eighth (2048 squares, 4x64x100), fuses no bias or activation, loads in 250 ms. So these kernels
// are used everywhere; with CREMA_GEMM=openblas in the environment a loaded OpenBLAS is used instead, one
// thread of it for each of our pool's. The promise of equal bits for every thread count is then off.
#include <cstdlib>

#include "../blas.h"
#include "../gemm_paths.h"
#include "../gemm_tile.h"

namespace crema {
namespace CREMA_ISA {
namespace {

// Multiply-adds worth handing to another thread, which takes 1 to 2 µs: 2 to 5 µs of one core. Of few rows, which take
// as long as reading B, as many as kVectorRows would have.
constexpr int64_t kGrain = 250000;
constexpr int64_t kAmxGrain = 8 * kGrain;  // where AMX multiplies

struct Share {
  bool rows;
  int64_t units, unit, grain;  // ranges are whole tiles, so that only the last has a ragged edge

  Share(const Gemm& g, Path path) {
    const bool tiled = kBf16Tiles && g.bf16 && (path == Path::kBlocked || path == Path::kDeep);
    const int64_t height = tiled ? kAmxBlockRows : kTileRows, width = tiled ? 2 * kTileColumns : kTileColumns;
    const int64_t tiles = (g.m + height - 1) / height, panels = (g.n + width - 1) / width;
    rows = g.n == 1 || (g.m > kVectorRows && tiles >= panels);
    units = rows ? tiles : panels;
    unit = rows ? height : width;
    const int64_t work = unit * (rows ? g.n : g.m < kVectorRows ? kVectorRows : g.m) * (g.k < 1 ? 1 : g.k);
    grain = ((tiled ? kAmxGrain : kGrain) + work - 1) / work;
  }
};

bool openblas_forced() {
  static const bool forced = [] {
    const char* const choice = std::getenv("CREMA_GEMM");
    return choice != nullptr && std::strcmp(choice, "openblas") == 0;
  }();
  return forced;
}

void openblas(Sgemm sgemm, const Gemm& g) {
  constexpr int kRowMajor = 101, kAsStored = 111, kTransposed = 112;
  sgemm(kRowMajor, g.trans_a ? kTransposed : kAsStored, g.trans_b ? kTransposed : kAsStored, static_cast<int>(g.m),
        static_cast<int>(g.n), static_cast<int>(g.k), 1.0f, g.a, static_cast<int>(g.lda), g.b,
        static_cast<int>(g.ldb), g.accumulate ? 1.0f : 0.0f, g.c, static_cast<int>(g.ldc));
  for (int64_t i = 0; i < g.m; ++i) {
    float* const c = g.c + i * g.ldc;
    if (g.bias != nullptr) each(c, g.bias, c, g.n, [](vec x, vec y) { return x + y; });
    apply_activation(g.activation, c, g.n);
  }
}

}  // namespace

int64_t gemm_parallel_scratch(int64_t m, int64_t n, int64_t k, int32_t threads) {
  return threads * gemm_scratch(m, n, k);
}

void gemm_parallel(const Gemm& g, char* scratch, int32_t threads) {
  if (g.m <= 0 || g.n <= 0) return;
  const Path path = path_of(g);
  const Share share(g, path);
  const int64_t bytes = gemm_scratch(g.m, g.n, g.k) + (g.taker == nullptr ? 0 : taken_scratch(1));
  const Sgemm sgemm = openblas_forced() && g.k > 0 && g.ldb > 0 && g.taker == nullptr ? blas_sgemm() : nullptr;
  if (sgemm != nullptr) blas_set_threads(1);
  parallel(threads, share.units, share.grain, [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm part = g;
    const int64_t from = begin * share.unit;
    if (share.rows) {
      part.m = (end * share.unit < g.m ? end * share.unit : g.m) - from;
      part.a = g.trans_a ? g.a + from : g.a + from * g.lda;
      part.c = g.c + from * g.ldc;
    } else {
      part.n = (end * share.unit < g.n ? end * share.unit : g.n) - from;
      part.b = g.trans_b ? g.b + from * g.ldb : g.b + from;
      if (g.packed_b != nullptr) part.packed_b = g.packed_b + from * (g.bf16 ? (g.k + 1) / 2 : g.k);
      part.c = g.c + from;
      if (g.bias != nullptr) part.bias = g.bias + from;
    }
    if (sgemm != nullptr) {
      openblas(sgemm, part);
    } else {
      gemm_on(path, part, scratch + chunk * bytes);
    }
  });
}

// gemm: the product as gemm.h defines it, leading dimensions and all, for its tests and benchmarks.
// in: A, B, bias?, C before (read when accumulate)?, packed B?; out: C, holding m rows ldc apart: only the product's own
// elements are written, after a copy of "C before" when there is one.
// ints: m, n, k, lda, trans_a, ldb, trans_b, ldc, activation, bfloat16 (0 when absent).
static Gemm gemm_of(const Call& c) {
  Gemm g;
  g.m = c.ints[0];
  g.n = c.ints[1];
  g.k = c.ints[2];
  g.a = c.in[0].f32();
  g.lda = c.ints[3];
  g.trans_a = c.ints[4] != 0;
  g.b = c.in[1].f32();
  g.ldb = c.ints[5];
  g.trans_b = c.ints[6] != 0;
  g.c = c.out[0].f32();
  g.ldc = c.ints[7];
  g.activation = static_cast<Activation>(c.ints[8]);
  g.bf16 = c.int_count > 9 && c.ints[9] != 0;
  g.bias = c.in[2].present() ? c.in[2].f32() : nullptr;
  g.accumulate = c.in[3].present();
  g.packed_b = c.ins > 4 && c.in[4].present() ? c.in[4].f32() : nullptr;
  return g;
}
static int64_t scratch_of_gemm(const Call& c) {
  return gemm_parallel_scratch(c.ints[0], c.ints[1], c.ints[2], c.threads);
}

CREMA_KERNEL_SCRATCH(gemm, scratch_of_gemm) {
  const Gemm g = gemm_of(c);
  for (int64_t i = 0; g.accumulate && i < g.m; ++i) {
    std::memcpy(g.c + i * g.ldc, c.in[3].f32() + i * g.ldc, static_cast<size_t>(g.n) * sizeof(float));
  }
  gemm_parallel(g, c.scratch, c.threads);
}

// pack_weights: in: w as the product reads it (written in place), [packed_floats(n, k) or more; for bfloat16
// packed_floats(n, (k + 1) / 2)]; w [k, n]. ints: bfloat16.
CREMA_KERNEL(pack_weights) {
  const Tensor& w = c.in[1];
  if (c.ints[0] != 0) {
    pack_weights_bf16(w.f32(), w.last(), w.last(), w.rows(), c.in[0].f32());
  } else {
    pack_weights(w.f32(), w.last(), false, w.last(), w.rows(), c.in[0].f32());
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
