// norm_batch.cpp: batch normalisation over all axes but the last (Ioffe and Szegedy 2015). Statistics are
// taken block by block, each in two passes while it is in the cache, and merged (Chan et al. 1979): as exact
// as two passes over everything, and the same for any number of threads.
#include <type_traits>

#include "../rows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 16384;

int64_t block_rows(int64_t columns) { return columns >= 512 ? 16 : 8192 / (columns < 1 ? 1 : columns); }

int64_t blocks_of(const Tensor& x) {
  const int64_t rows = block_rows(x.last());
  return (x.rows() + rows - 1) / rows;
}

// Partial sums of each block, then four vectors of columns.
int64_t scratch(const Call& c) { return (blocks_of(c.in[0]) * 2 + 4) * c.in[0].last() * 4; }

constexpr int kColumns = 4;  // vectors of columns at a time, their sums in registers

// Calls f(column, count, full): groups of columns, at most kColumns vectors wide; `full` says that they are.
template <typename F>
CREMA_INLINE void each_group(int64_t n, const F& f) {
  int64_t i = 0;
  for (; i + kColumns * W <= n; i += kColumns * W) f(i, std::integral_constant<int, kColumns>(), int64_t{W});
  for (; i < n; i += W) f(i, std::integral_constant<int, 1>(), n - i < W ? n - i : W);
}

// Means and sums of squared deviations of each block, to partial[block][2][columns].
void block_statistics(const Call& c, float* partial) {
  const int64_t n = c.in[0].last(), rows = c.in[0].rows(), height = block_rows(n);
  parallel(c.threads, blocks_of(c.in[0]), kGrain / (height * n) + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      const float* x = c.in[0].f32() + b * height * n;
      const int64_t count = rows - b * height < height ? rows - b * height : height;
      float* const mean = partial + b * 2 * n;
      float* const squares = mean + n;
      const float share = 1.0f / static_cast<float>(count);
      each_group(n, [&](int64_t i, auto width, int64_t k) CREMA_LAMBDA {
        constexpr int V = decltype(width)::value;
        vec sum[V] = {}, square[V] = {}, m[V];
        for (int64_t r = 0; r < count; ++r) {
          for (int v = 0; v < V; ++v) sum[v] += some(x + r * n + i + v * W, k);
        }
        for (int v = 0; v < V; ++v) m[v] = sum[v] * share;
        for (int64_t r = 0; r < count; ++r) {
          for (int v = 0; v < V; ++v) {
            const vec d = some(x + r * n + i + v * W, k) - m[v];
            square[v] += d * d;
          }
        }
        for (int v = 0; v < V; ++v) {
          put(mean + i + v * W, m[v], k);
          put(squares + i + v * W, square[v], k);
        }
      });
    }
  });
}

}  // namespace

// in: x, gamma?, beta?, running mean and variance (written). out: y, mean, 1 / deviation.
// floats: epsilon, momentum: running = (1 - momentum) running + momentum batch, with the unbiased variance.
CREMA_KERNEL_SCRATCH(batch_norm, scratch) {
  const int64_t n = c.in[0].last(), rows = c.in[0].rows();
  if (n == 0) return;
  float* const mean = c.out[1].f32();
  float* const inverse = c.out[2].f32();
  if (rows == 0) {
    for (int64_t i = 0; i < n; ++i) mean[i] = inverse[i] = 0;
    return;
  }
  const float epsilon = static_cast<float>(c.floats[0]), momentum = static_cast<float>(c.floats[1]);
  float* const partial = reinterpret_cast<float*>(c.scratch);
  const int64_t blocks = blocks_of(c.in[0]), height = block_rows(n);
  block_statistics(c, partial);
  float* const squares = partial + blocks * 2 * n;
  float* const scale = squares + n;
  float* const shift = scale + n;
  for (int64_t i = 0; i < n; ++i) mean[i] = squares[i] = 0;
  double seen = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const double count = static_cast<double>(rows - b * height < height ? rows - b * height : height);
    const float part = static_cast<float>(count / (seen + count));
    const float between = static_cast<float>(seen * count / (seen + count));
    const float* m = partial + b * 2 * n;
    each(squares, mean, m, squares, n, [=](vec s, vec a, vec v) CREMA_LAMBDA {
      const vec d = v - a;
      return s + d * d * between;
    });
    each(squares, m + n, squares, n, [](vec s, vec v) CREMA_LAMBDA { return s + v; });
    each(mean, m, mean, n, [=](vec a, vec v) CREMA_LAMBDA { return a + (v - a) * part; });
    seen += count;
  }
  const float total = static_cast<float>(rows), unbiased = rows > 1 ? total - 1 : 1.0f;
  for (int64_t i = 0; i < n; ++i) {
    inverse[i] = 1.0f / __builtin_sqrtf(squares[i] / total + epsilon);
    scale[i] = inverse[i] * (c.in[1].present() ? c.in[1].f32()[i] : 1.0f);
    shift[i] = c.in[2].present() ? c.in[2].f32()[i] : 0.0f;
    float* const running_mean = c.in[3].f32();
    float* const running_variance = c.in[4].f32();
    running_mean[i] += momentum * (mean[i] - running_mean[i]);
    running_variance[i] += momentum * (squares[i] / unbiased - running_variance[i]);
  }
  parallel(c.threads, rows, kGrain / n + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const float* x = c.in[0].f32() + r * n;
      float* y = c.out[0].f32() + r * n;
      each_group(n, [&](int64_t i, auto width, int64_t k) CREMA_LAMBDA {
        for (int64_t at = i; at < i + decltype(width)::value * W; at += W) {
          put(y + at, (some(x + at, k) - some(mean + at, k)) * some(scale + at, k) + some(shift + at, k), k);
        }
      });
    }
  });
}

// in: x, gamma?, mean, 1 / deviation, dy. out: dx, dgamma, dbeta.
CREMA_KERNEL_SCRATCH(batch_norm_grad, scratch) {
  const int64_t n = c.in[0].last(), rows = c.in[0].rows(), blocks = blocks_of(c.in[0]), height = block_rows(n);
  if (n == 0) return;
  const float* const mean = c.in[2].f32();
  const float* const inverse = c.in[3].f32();
  float* const dgamma = c.out[1].f32();
  float* const dbeta = c.out[2].f32();
  float* const partial = reinterpret_cast<float*>(c.scratch);
  parallel(c.threads, blocks, kGrain / (height * n) + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      float* const sum = partial + b * 2 * n;
      float* const product = sum + n;
      const int64_t first = b * height, last = first + height < rows ? first + height : rows;
      each_group(n, [&](int64_t i, auto width, int64_t k) CREMA_LAMBDA {
        constexpr int V = decltype(width)::value;
        vec s[V] = {}, p[V] = {}, m[V];
        for (int v = 0; v < V; ++v) m[v] = some(mean + i + v * W, k);
        for (int64_t r = first; r < last; ++r) {
          for (int v = 0; v < V; ++v) {
            const int64_t at = r * n + i + v * W;
            const vec dy = some(c.in[4].f32() + at, k);
            s[v] += dy;
            p[v] += dy * (some(c.in[0].f32() + at, k) - m[v]);
          }
        }
        for (int v = 0; v < V; ++v) {
          put(sum + i + v * W, s[v], k);
          put(product + i + v * W, p[v], k);
        }
      });
    }
  });
  for (int64_t i = 0; i < n; ++i) dgamma[i] = dbeta[i] = 0;
  const auto plus = [](vec a, vec d) CREMA_LAMBDA { return a + d; };
  for (int64_t b = 0; b < blocks; ++b) {
    each(dbeta, partial + b * 2 * n, dbeta, n, plus);
    each(dgamma, partial + b * 2 * n + n, dgamma, n, plus);
  }
  each(dgamma, inverse, dgamma, n, [](vec a, vec v) CREMA_LAMBDA { return a * v; });
  if (rows == 0) return;
  float* const scale = partial + blocks * 2 * n;  // dx = scale (dy - share - (x - mean) slope)
  float* const share = scale + n;
  float* const slope = share + n;
  const float total = static_cast<float>(rows);
  for (int64_t i = 0; i < n; ++i) {
    scale[i] = inverse[i] * (c.in[1].present() ? c.in[1].f32()[i] : 1.0f);
    share[i] = dbeta[i] / total;
    slope[i] = dgamma[i] * inverse[i] / total;
  }
  parallel(c.threads, rows, kGrain / n + 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const float* x = c.in[0].f32() + r * n;
      const float* dy = c.in[4].f32() + r * n;
      float* dx = c.out[0].f32() + r * n;
      each_group(n, [&](int64_t i, auto width, int64_t k) CREMA_LAMBDA {
        for (int64_t at = i; at < i + decltype(width)::value * W; at += W) {
          const vec d = some(x + at, k) - some(mean + at, k);
          const vec g = some(dy + at, k) - some(share + at, k) - d * some(slope + at, k);
          put(dx + at, g * some(scale + at, k), k);
        }
      });
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
