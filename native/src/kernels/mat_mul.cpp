// mat_mul.cpp: C = op(A) op(B) over the last two axes; leading axes broadcast. in: a, b; out: c;
// ints: a is transposed, b is transposed, bfloat16. One product is split among the threads; of many, each thread
// does whole ones.
#include "../gemm.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Shape {
  int64_t m, n, k, batches;
};

Shape shape_of(const Call& c) {
  const Tensor &a = c.in[0], &out = c.out[0];
  Shape s{out.dim[out.rank - 2], out.dim[out.rank - 1], a.dim[a.rank - (c.ints[0] != 0 ? 2 : 1)], 1};
  for (int i = 0; i + 2 < out.rank; ++i) s.batches *= out.dim[i];
  return s;
}

int64_t scratch(const Call& c) {
  const Shape s = shape_of(c);
  const int64_t one = (gemm_scratch(s.m, s.n, s.k) + 63) / 64 * 64 * c.threads;
  const int64_t split = gemm_parallel_scratch(s.m, s.n, s.k, c.threads);
  return one > split ? one : split;
}

// Which matrix of x belongs to matrix `batch` of the output.
int64_t matrix_of(const Tensor& x, const Tensor& out, int64_t batch) {
  int64_t index = 0, stride = 1;
  for (int i = out.rank - 3; i >= 0; --i) {
    const int64_t at = batch % out.dim[i];
    batch /= out.dim[i];
    const int axis = i - (out.rank - x.rank);
    if (axis < 0) continue;
    if (x.dim[axis] != 1) index += at * stride;
    stride *= x.dim[axis];
  }
  return index;
}

Gemm product(const Call& c, const Shape& s, int64_t batch) {
  const Tensor &a = c.in[0], &b = c.in[1];
  Gemm g;
  g.m = s.m;
  g.n = s.n;
  g.k = s.k;
  g.a = a.f32() + matrix_of(a, c.out[0], batch) * s.m * s.k;
  g.lda = a.last();
  g.trans_a = c.ints[0] != 0;
  g.b = b.f32() + matrix_of(b, c.out[0], batch) * s.k * s.n;
  g.ldb = b.last();
  g.trans_b = c.ints[1] != 0;
  g.bf16 = c.ints[2] != 0;
  g.c = c.out[0].f32() + batch * s.m * s.n;
  g.ldc = s.n;
  return g;
}

}  // namespace

CREMA_KERNEL_SCRATCH(mat_mul, scratch) {
  const Shape s = shape_of(c);
  if (s.batches < c.threads) {
    for (int64_t i = 0; i < s.batches; ++i) gemm_parallel(product(c, s, i), c.scratch, c.threads);
    return;
  }
  const int64_t bytes = (gemm_scratch(s.m, s.n, s.k) + 63) / 64 * 64;
  const int64_t work = s.m * s.n * s.k;
  parallel(c.threads, s.batches, work == 0 ? s.batches : 65536 / work + 1,
           [&](int64_t begin, int64_t end, int64_t chunk) {
             for (int64_t i = begin; i < end; ++i) gemm(product(c, s, i), c.scratch + chunk * bytes);
           });
}

}  // namespace CREMA_ISA
}  // namespace crema
