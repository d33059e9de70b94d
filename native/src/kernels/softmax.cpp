// softmax.cpp: softmax over the last axis, its gradient, and the cross-entropy of logits. Rows of n
// floats, each read and written once while it stays in the cache. NaN in, NaN out. In place allowed.
#include "../softmax_rows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 8192;  // elements worth waking another thread for

// y = e^(x - shift), while the next row is fetched; returns the sum.
float exp_minus(const float* x, float shift, float* y, int64_t n) {
  const vec s = broadcast(shift);
  return sum_of(n, [&](int64_t i, int64_t k) CREMA_LAMBDA {
    fetch(x + n + i);
    fetch_to_write(y + n + i);
    const vec e = vexp_negative((k == W ? load(x + i) : load_n(x + i, k, broadcast(-INFINITY))) - s);
    put(y + i, e, k);
    return e;
  });
}

float dot(const float* a, const float* b, int64_t n) {
  return sum_of(n, [&](int64_t i, int64_t k) CREMA_LAMBDA { return some(a + i, k) * some(b + i, k); });
}

int64_t row_grain(int64_t n) { return kGrain / (n < 1 ? 1 : n) + 1; }

}  // namespace

CREMA_KERNEL_SCRATCH(softmax, softmax_scratch) { softmax_of<false>(c); }

// in: y, dy; dx = y (dy - sum(dy y)).
CREMA_KERNEL(softmax_grad) {
  const int64_t n = c.in[0].last();
  parallel(c.threads, c.in[0].rows(), row_grain(n), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const float* y = c.in[0].f32() + r * n;
      const float* dy = c.in[1].f32() + r * n;
      const vec s = broadcast(dot(y, dy, n));
      each(y, dy, c.out[0].f32() + r * n, n, [&](vec a, vec b) { return a * (b - s); });
    }
  });
}

// Mean cross-entropy of logits and its gradient, in one pass. in: logits [n, k]; labels int32 [n] or
// probabilities float32 [n, k]; class weights [k] (optional). floats: label smoothing e: the target is
// (1 - e) target + e / k. out: loss [], dlogits [n, k], loss of each row [n]. Rows are weighted by their
// class (labels) or each class's term (probabilities); the mean is over the sum of the rows' weights
// for labels, over n for probabilities. Out of order: the sum over rows, done by one thread in order.
CREMA_KERNEL(softmax_cross_entropy) {
  const Tensor& logits = c.in[0];
  const int64_t n = logits.rows(), k = logits.last();
  const bool sparse = c.in[1].type == CREMA_INT32;
  const float* weights = c.in[2].present() ? c.in[2].f32() : nullptr;
  const float smoothing = static_cast<float>(c.floats[0]);
  const float on = 1.0f - smoothing, off = smoothing / static_cast<float>(k);
  float* const row_loss = c.out[2].f32();
  double total_weight = static_cast<double>(n);
  if (sparse) {
    const int32_t* labels = c.in[1].i32();
    total_weight = weights == nullptr ? total_weight : 0;
    for (int64_t r = 0; r < n; ++r) {
      if (labels[r] < 0 || labels[r] >= k) {
        c.fail("label %lld of example %lld is outside [0, %lld)", static_cast<long long>(labels[r]),
               static_cast<long long>(r), static_cast<long long>(k));
        return;
      }
      if (weights != nullptr) total_weight += weights[labels[r]];
    }
  }
  const float scale = total_weight > 0 ? static_cast<float>(1.0 / total_weight) : 0.0f;
  parallel(c.threads, n, row_grain(k), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      const float* x = logits.f32() + r * k;
      float* d = c.out[1].f32() + r * k;
      const float most = largest_number(x, k);
      const float sum = exp_minus(x, most, d, k);
      const float log_sum = most + __builtin_logf(sum);
      const vec inverse = broadcast(1.0f / sum);
      double loss = 0;
      if (sparse) {
        const int32_t label = c.in[1].i32()[r];
        const float weight = (weights == nullptr ? 1.0f : weights[label]);
        loss = on * (static_cast<double>(log_sum) - x[label]);
        if (smoothing != 0) {
          double others = 0;
          for (int64_t j = 0; j < k; ++j) others += static_cast<double>(log_sum) - x[j];
          loss += off * others;
        }
        loss *= weight;
        const float s = weight * scale;
        each(d, d, k, [&](vec e) { return (e * inverse - off) * s; });
        d[label] -= on * s;
      } else {
        const float* target = c.in[1].f32() + r * k;
        double mass = 0;  // what the targets of the row sum to, weighted
        for (int64_t j = 0; j < k; ++j) {
          const double t = (static_cast<double>(on) * target[j] + off) * (weights == nullptr ? 1.0f : weights[j]);
          loss += t * (static_cast<double>(log_sum) - x[j]);
          mass += t;
        }
        const float m = static_cast<float>(mass);
        const float inverse_sum = 1.0f / sum;
        for (int64_t j = 0; j < k; ++j) {
          const float t = (on * target[j] + off) * (weights == nullptr ? 1.0f : weights[j]);
          d[j] = (d[j] * inverse_sum * m - t) * scale;
        }
      }
      row_loss[r] = static_cast<float>(loss);
    }
  });
  double total = 0;
  for (int64_t r = 0; r < n; ++r) total += row_loss[r];
  c.out[0].f32()[0] = static_cast<float>(total * scale);
}

}  // namespace CREMA_ISA
}  // namespace crema
