// sparse_linear.cpp: dense layers whose weights are mostly zero.
#include "../sparse.h"

namespace crema {
namespace CREMA_ISA {

int64_t sparse_scratch(int64_t m, int64_t n, int64_t k, int32_t threads) {
  const int64_t forms[] = {gemm_parallel_scratch(m, n, k, threads), columns_scratch(m, k, threads),
                           windows_scratch(m, k, threads)};
  int64_t most = 0;
  for (const int64_t bytes : forms) most = bytes > most ? bytes : most;
  return most;
}

void sparse_product(const SparseProduct& g, char* scratch, int32_t threads) {
  if (g.m <= 0 || g.n <= 0) return;
  switch (SparseParts(g.packed).form) {
    case kColumns:
    case kBands: return columns_product(g, scratch, threads);
    case kWindows: return windows_product(g, scratch, threads);
    default: break;
  }
  Gemm dense;
  dense.m = g.m;
  dense.n = g.n;
  dense.k = g.k;
  dense.a = g.x;
  dense.lda = g.k;
  dense.b = g.w;
  dense.ldb = g.n;
  dense.c = g.y;
  dense.ldc = g.n;
  dense.bias = g.bias;
  dense.activation = g.activation;
  gemm_parallel(dense, scratch, threads);
}

static int64_t linear_scratch(const Call& c) {
  return sparse_scratch(c.in[0].rows(), c.out[0].last(), c.in[0].last(), c.threads);
}

// sparse_linear: in: x [..., k], packed (pack_sparse's), w [k, n] or [1, 1, k, n], bias [n] (optional);
// out: y [..., n]. ints: activation (gemm.h).
CREMA_KERNEL_SCRATCH(sparse_linear, linear_scratch) {
  SparseProduct g;
  g.m = c.in[0].rows();
  g.n = c.out[0].last();
  g.k = c.in[0].last();
  g.x = c.in[0].f32();
  g.packed = c.in[1].i32();
  g.w = c.in[2].f32();
  g.bias = c.ins > 3 && c.in[3].present() ? c.in[3].f32() : nullptr;
  g.y = c.out[0].f32();
  g.activation = static_cast<Activation>(c.ints[0]);
  sparse_product(g, c.scratch, c.threads);
}

static int64_t pack_scratch(const Call& c) { return c.in[1].last() * static_cast<int64_t>(sizeof(int64_t)); }

// pack_sparse: in: packed (written in place), w [..., n], a matrix of its rows. ints: examples that it is multiplied
// by at a time, at most; up to how many it may be stored otherwise than for more.
CREMA_KERNEL_SCRATCH(pack_sparse, pack_scratch) {
  const Tensor& w = c.in[1];
  pack_sparse(w.f32(), w.rows(), w.last(), c.ints[0], c.ints[1], c.in[0].i32(), c.in[0].elements(),
              reinterpret_cast<int64_t*>(c.scratch));
}

}  // namespace CREMA_ISA
}  // namespace crema
