// pooling_global.cpp: pooling over all pixels of an image: x [n, ..., c] -> y [n, c], and the gradients.
// global_average_pool, global_max_pool (NaN wins): x -> y. global_average_pool_grad: dy -> dx.
// global_max_pool_grad: x, y, dy -> dx; the first maximum takes dy.
#include "../pooling.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Frames {
  int64_t n, pixels, c;
  explicit Frames(const Tensor& x) : n(x.dim[0]), pixels(1), c(x.last()) {
    for (int i = 1; i + 1 < x.rank; ++i) pixels *= x.dim[i];
  }
  int64_t floats() const { return pixels * c; }
};

template <bool Mean>
void reduce(const Call& c) {
  const Frames f(c.in[0]);
  const float weight = Mean ? 1.0f / static_cast<float>(f.pixels) : 1.0f;
  parallel(c.threads, f.n, row_grain(f.floats()), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const float* const x = c.in[0].f32() + i * f.floats();
      float* const y = c.out[0].f32() + i * f.c;
      for (int64_t at = 0; at < f.c; at += W) {
        const int64_t n = f.c < W ? f.c : W, channel = f.c < W ? 0 : vector_start(at, f.c);
        vec sum = Mean ? vec{} : broadcast(-INFINITY);
        for (int64_t p = 0; p < f.pixels; ++p) {
          const float* const pixel = x + p * f.c + channel;
          const vec v = n == W ? load(pixel) : load_n(pixel, n);
          sum = Mean ? sum + v : vmax(sum, v);
        }
        if (n == W) {
          store(y + channel, sum * weight);
        } else {
          store_n(y + channel, sum * weight, n);
        }
      }
    }
  });
}

}  // namespace

CREMA_KERNEL(global_average_pool) { reduce<true>(c); }
CREMA_KERNEL(global_max_pool) { reduce<false>(c); }

CREMA_KERNEL(global_average_pool_grad) {
  const Frames f(c.out[0]);
  const float weight = 1.0f / static_cast<float>(f.pixels);
  parallel(c.threads, f.n, row_grain(f.floats()), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      float* const dx = c.out[0].f32() + i * f.floats();
      if (f.pixels == 0) continue;
      each(c.in[0].f32() + i * f.c, dx, f.c, [weight](vec dy) { return dy * weight; });
      for (int64_t p = 1; p < f.pixels; ++p) std::memcpy(dx + p * f.c, dx, static_cast<size_t>(f.c) * sizeof(float));
    }
  });
}

CREMA_KERNEL(global_max_pool_grad) {
  const Frames f(c.out[0]);
  parallel(c.threads, f.n, row_grain(f.floats()), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const float* const x = c.in[0].f32() + i * f.floats();
      const float* const y = c.in[1].f32() + i * f.c;
      const float* const dy = c.in[2].f32() + i * f.c;
      float* const dx = c.out[0].f32() + i * f.floats();
      std::memset(dx, 0, static_cast<size_t>(f.floats()) * sizeof(float));
      for (int64_t k = 0; k < f.c; ++k) {
        int64_t p = 0;
        while (p < f.pixels && x[p * f.c + k] != y[k] && x[p * f.c + k] == x[p * f.c + k]) ++p;
        if (p < f.pixels) dx[p * f.c + k] = dy[k];
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
