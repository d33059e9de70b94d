// lamb.cpp: updates of parameters from gradients (optimizer.h), where a step depends on whole tensors.
#include "../optimizer.h"

namespace crema {
namespace CREMA_ISA {
namespace {

int64_t scratch(const Call& c) { return c.in[0].elements() * static_cast<int64_t>(sizeof(float)); }

double sum_of_squares(const float* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

}  // namespace

// LAMB (You et al. 2020). floats: decay, beta1, beta2, epsilon; ints: end of each tensor, ascending.
// Moments: m, v. As AdamW, with each tensor's step scaled by |w| / |step| (1 where either is 0).
CREMA_KERNEL_SCRATCH(lamb, scratch) {
  if (is_skipped(c.in[5])) return;
  const float* h = hyper<2>(c);
  const float beta1 = attribute(c, 1), beta2 = attribute(c, 2);
  const float rest1 = rest_of(c, 1), rest2 = rest_of(c, 2);
  const float decay = attribute(c, 0), epsilon = attribute(c, 3);
  float* const w = c.in[0].f32();
  const float* const g = c.in[1].f32();
  float* const m = c.in[2].f32();
  float* const v = c.in[3].f32();
  const float scale = c.in[5].present() ? c.in[5].f32()[0] : 1.0f;
  const float* const kept = mask<2>(c);
  float* const u = reinterpret_cast<float*>(c.scratch);
  // One tensor a chunk: its sums are the same whatever thread does it.
  parallel(c.threads, c.int_count, 1, [&](int64_t first, int64_t last, int64_t) {
    for (int64_t t = first; t < last; ++t) {
      const int64_t begin = t == 0 ? 0 : c.ints[t - 1], end = c.ints[t];
      for (int64_t i = begin; i < end; ++i) {
        if (kept != nullptr && kept[i] == 0.0f) {
          w[i] = m[i] = v[i] = u[i] = 0.0f;
          continue;
        }
        const float d = g[i] * scale;
        m[i] = beta1 * m[i] + rest1 * d;
        v[i] = beta2 * v[i] + rest2 * d * d;
        u[i] = (m[i] / h[2]) / (__builtin_sqrtf(v[i] / h[3]) + epsilon) + decay * w[i];
      }
      const double wn = sum_of_squares(w + begin, end - begin), un = sum_of_squares(u + begin, end - begin);
      const float trust = wn > 0 && un > 0 ? static_cast<float>(__builtin_sqrt(wn / un)) : 1.0f;
      for (int64_t i = begin; i < end; ++i) w[i] -= h[0] * trust * u[i];
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
