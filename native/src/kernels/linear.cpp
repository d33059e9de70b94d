// linear.cpp: y = activation(x w + bias). in: x [..., in], w [in, units], bias [units] (optional), w as pack_weights
// leaves it (optional); out: y [..., units]; ints: activation (gemm.h), bfloat16.
#include "../gemm.h"

namespace crema {
namespace CREMA_ISA {
namespace {

int64_t scratch(const Call& c) {
  return gemm_parallel_scratch(c.in[0].rows(), c.out[0].last(), c.in[0].last(), c.threads);
}

}  // namespace

CREMA_KERNEL_SCRATCH(linear, scratch) {
  Gemm g;
  g.m = c.in[0].rows();
  g.n = c.out[0].last();
  g.k = c.in[0].last();
  g.a = c.in[0].f32();
  g.lda = g.k;
  g.b = c.in[1].f32();
  g.ldb = g.n;
  g.c = c.out[0].f32();
  g.ldc = g.n;
  g.bias = c.in[2].present() ? c.in[2].f32() : nullptr;
  if (c.ins > 3 && c.in[3].present()) g.packed_b = c.in[3].f32();
  g.bf16 = c.ints[1] != 0;
  g.activation = static_cast<Activation>(c.ints[0]);
  gemm_parallel(g, c.scratch, c.threads);
}

}  // namespace CREMA_ISA
}  // namespace crema
