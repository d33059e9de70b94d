// arg_max.cpp: position of the greatest element along an axis, the first one where several are equal; NaN
// counts as the greatest. ints: axis. x float32 -> int32.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {
namespace {

int32_t first_greatest(const float* x, int64_t n) {
  vec greatest = broadcast(-INFINITY);
  int64_t i = 0;
  for (; i + W <= n; i += W) greatest = vmax(greatest, load(x + i));
  float m = hmax(greatest);
  for (; i < n; ++i) m = (x[i] > m || x[i] != x[i]) ? x[i] : m;
  const bool nan = m != m;
  for (i = 0; i < n; ++i) {
    if (nan ? x[i] != x[i] : x[i] == m) return static_cast<int32_t>(i);
  }
  return 0;
}

}  // namespace

CREMA_KERNEL(arg_max) {
  const int axis = static_cast<int>(c.ints[0]);
  const Tensor& x = c.in[0];
  const int64_t outer = extent(x, 0, axis), n = x.dim[axis], inner = extent(x, axis + 1, x.rank);
  int32_t* const y = c.out[0].i32();
  if (inner == 1) {
    parallel(c.threads, outer, row_grain(n * 4), [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t r = begin; r < end; ++r) y[r] = first_greatest(x.f32() + r * n, n);
    });
    return;
  }
  const int64_t blocks = (inner + W - 1) / W;
  parallel(c.threads, outer * blocks, row_grain(n * W * 4), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t o = b / blocks, at = b % blocks * W;
      const int64_t lanes = inner - at < W ? inner - at : W;
      const float* const from = x.f32() + o * n * inner + at;
      vec best = load_n(from, lanes);
      veci where{};
      for (int64_t i = 1; i < n; ++i) {
        const vec v = lanes == W ? load(from + i * inner) : load_n(from + i * inner, lanes);
        const veci better = (v > best) | ((v != v) & (best == best));
        best = select(better, v, best);
        where = (better & broadcasti(static_cast<int32_t>(i))) | (~better & where);
      }
      for (int64_t l = 0; l < lanes; ++l) y[o * inner + at + l] = where[l];
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
