// norm_layer.cpp: layer normalisation (Ba et al. 2016) and RMS normalisation (Zhang and Sennrich 2019) over
// the last axis. A row is read from memory once and stays in the cache for its three passes. floats: epsilon.
#include "../rows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 8192;  // elements worth waking another thread for
constexpr int64_t kMostBlocks = 32;  // pieces of the sums over rows; fixed, so that threads change no bits

// What is known of a row: its mean, and 1 / the deviation.
struct Row {
  float mean = 0, inverse = 0;
};

// One row of three that are under way, so that their arithmetic and their memory overlap: y = (x - mean) inverse
// gamma + beta; of the row after, whose mean is known, the squares are summed; of the row after that, the elements.
struct Sums {
  float squares, elements;
};
template <bool Gamma, bool Beta, Place To>
Sums finish(const float* x, Row row, float next_mean, const float* gamma, const float* beta, float* y, int64_t n,
            int64_t rows_after) {
  const vec m = broadcast(row.mean), s = broadcast(row.inverse), m1 = broadcast(next_mean);
  vec squares[kSums] = {}, elements[kSums] = {};
  const float* const x1 = rows_after > 0 ? x + n : x;
  const float* const x2 = rows_after > 1 ? x + 2 * n : x;
  sweep(n, [&](int64_t i, int64_t count, int k) CREMA_LAMBDA {
    if (To != Place::kNear) fetch(x + 3 * n + i);
    if (To == Place::kFar) fetch_to_write(y + n + i);
    elements[k] += some(x2 + i, count);
    const vec d = (count == W ? load(x1 + i) : load_n(x1 + i, count, m1)) - m1;
    squares[k] = d * d + squares[k];
    vec v = (some(x + i, count) - m) * s;
    if (Gamma) v = v * some(gamma + i, count);
    if (Beta) v = v + some(beta + i, count);
    if (To == Place::kPast) {
      stream(y + i, v);
    } else {
      put(y + i, v, count);
    }
  });
  return {total(squares), total(elements)};
}

template <Place To>
auto finisher(bool gamma, bool beta) {
  return gamma ? (beta ? finish<true, true, To> : finish<true, false, To>)
               : (beta ? finish<false, true, To> : finish<false, false, To>);
}
auto finisher(Place to, bool gamma, bool beta) {
  return to == Place::kNear  ? finisher<Place::kNear>(gamma, beta)
         : to == Place::kFar ? finisher<Place::kFar>(gamma, beta)
                             : finisher<Place::kPast>(gamma, beta);
}

float sum_of_row(const float* x, int64_t n) {
  return sum_of(n, [&](int64_t i, int64_t k) CREMA_LAMBDA { return some(x + i, k); });
}

float sum_of_squares(const float* x, float mean, int64_t n) {
  const vec m = broadcast(mean);
  return sum_of(n, [&](int64_t i, int64_t k) CREMA_LAMBDA {
    const vec d = (k == W ? load(x + i) : load_n(x + i, k, m)) - m;
    return d * d;
  });
}

// in: x, gamma?, beta?. out: y, mean (centred only), 1 / deviation.
template <bool Centred>
void forward(const Call& c) {
  const int64_t n = c.in[0].last();
  if (n == 0) return;
  const float epsilon = static_cast<float>(c.floats[0]);
  const float count = static_cast<float>(n);
  const float* const gamma = c.in[1].present() ? c.in[1].f32() : nullptr;
  const float* const beta = c.in[2].present() ? c.in[2].f32() : nullptr;
  const Place to = place_of(c.in[0].f32(), c.out[0].f32(), c.out[0].elements(), n);
  const auto finish_row = finisher(to, gamma != nullptr, beta != nullptr);
  float* const means = Centred ? c.out[1].f32() : nullptr;
  float* const inverses = c.out[Centred ? 2 : 1].f32();
  const auto mean_of = [=](float sum) { return Centred ? sum / count : 0.0f; };
  const auto inverse_of = [=](float squares) { return 1.0f / __builtin_sqrtf(squares / count + epsilon); };
  parallel(c.threads, c.in[0].rows(), kGrain / n + 1, [&](int64_t begin, int64_t end, int64_t) {
    if (begin >= end) return;
    const float* x = c.in[0].f32() + begin * n;
    Row row;
    row.mean = mean_of(sum_of_row(x, n));
    row.inverse = inverse_of(sum_of_squares(x, row.mean, n));
    float next_mean = begin + 1 < end ? mean_of(sum_of_row(x + n, n)) : 0.0f;
    for (int64_t r = begin; r < end; ++r, x += n) {
      if (Centred) means[r] = row.mean;
      inverses[r] = row.inverse;
      const Sums sums = finish_row(x, row, next_mean, gamma, beta, c.out[0].f32() + r * n, n, end - 1 - r);
      row.mean = next_mean;
      row.inverse = inverse_of(sums.squares);
      next_mean = mean_of(sums.elements);
    }
    if (to == Place::kPast) streamed();
  });
}

int64_t blocks_of(const Call& c) {
  const int64_t rows = c.in[0].rows(), blocks = (rows + 15) / 16;
  return blocks < kMostBlocks ? blocks : kMostBlocks;
}

int64_t backward_scratch(const Call& c) { return blocks_of(c) * 2 * c.in[0].last() * 4; }

// in: x, gamma?, mean (centred only), 1 / deviation, dy. out: dx, dgamma, dbeta.
template <bool Centred>
void backward(const Call& c) {
  const int64_t n = c.in[0].last(), rows = c.in[0].rows(), blocks = blocks_of(c);
  const float* const gamma = c.in[1].present() ? c.in[1].f32() : nullptr;
  const float* const inverses = c.in[Centred ? 3 : 2].f32();
  const Tensor& out = c.in[Centred ? 4 : 3];
  float* const partial = reinterpret_cast<float*>(c.scratch);
  parallel(c.threads, blocks, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      float* const dgamma = partial + b * 2 * n;
      float* const dbeta = dgamma + n;
      for (int64_t i = 0; i < 2 * n; ++i) dgamma[i] = 0;
      for (int64_t r = rows * b / blocks; r < rows * (b + 1) / blocks; ++r) {
        const float* x = c.in[0].f32() + r * n;
        const float* dy = out.f32() + r * n;
        float* dx = c.out[0].f32() + r * n;
        const float inverse = inverses[r], mean = Centred ? c.in[2].f32()[r] : 0.0f;
        vec sum{}, product{};
        for (int64_t i = 0; i < n; i += W) {
          const int64_t k = n - i < W ? n - i : W;
          const vec hat = (some(x + i, k) - mean) * inverse, d = some(dy + i, k);
          const vec g = gamma != nullptr ? d * some(gamma + i, k) : d;
          sum += g;
          product += g * hat;
          put(dgamma + i, some(dgamma + i, k) + d * hat, k);
          put(dbeta + i, some(dbeta + i, k) + d, k);
        }
        const float share = Centred ? hsum(sum) / static_cast<float>(n) : 0.0f;
        const float slope = hsum(product) / static_cast<float>(n);
        for (int64_t i = 0; i < n; i += W) {
          const int64_t k = n - i < W ? n - i : W;
          const vec hat = (some(x + i, k) - mean) * inverse;
          const vec g = gamma != nullptr ? some(dy + i, k) * some(gamma + i, k) : some(dy + i, k);
          const vec v = (g - share - hat * slope) * inverse;
          put(dx + i, v, k);
        }
      }
    }
  });
  for (int64_t i = 0; i < n; ++i) c.out[1].f32()[i] = c.out[2].f32()[i] = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    const auto plus = [](vec a, vec d) CREMA_LAMBDA { return a + d; };
    each(c.out[1].f32(), partial + b * 2 * n, c.out[1].f32(), n, plus);
    each(c.out[2].f32(), partial + b * 2 * n + n, c.out[2].f32(), n, plus);
  }
}

}  // namespace

CREMA_KERNEL(layer_norm) { forward<true>(c); }
CREMA_KERNEL(rms_norm) { forward<false>(c); }
CREMA_KERNEL_SCRATCH(layer_norm_grad, backward_scratch) { backward<true>(c); }
CREMA_KERNEL_SCRATCH(rms_norm_grad, backward_scratch) { backward<false>(c); }

}  // namespace CREMA_ISA
}  // namespace crema
