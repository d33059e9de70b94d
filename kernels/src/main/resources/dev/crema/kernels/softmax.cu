// softmax.cu: softmax over the last axis, its gradient, and the cross-entropy of logits, of tensors stored as T. NaN in, NaN out.
// In place allowed. rows.cuh says which threads take which rows; a result is written once, and what is read comes from
// memory once in NAME_warp, and in softmax_block with a cache of a row in shared memory (n floats, rounded up to packs of T).
//
// softmax_warp_T, softmax_block_T: (x, y, i64 rows, int n), (x, y, i64 rows, i64 n, int cached)
// softmax_grad_warp_T, softmax_grad_block_T: (y, dy, dx, i64 rows, n): dx = y (dy - sum(dy y))
// Cross-entropy of logits [rows, k], mean over examples, and its gradient; losses and sums are float32; arguments as the CPU kernel's:
//   cross_entropy_weight: (int* labels, weights?, i64 rows, i64 k, double* total, u64* errors, int slot): one block of 1024:
//     sum of the weights of the labels, in a fixed order; reports labels out of range.
//   cross_entropy_rows_T: (T* logits, int* labels or null, targets or null, weights?, double* total or null, dlogits, row_loss,
//     i64 rows, i64 k, float smoothing): a row a block; `total` null: the number of rows. dlogits are stored as T, but of float16 as
//     float32: a share of a mean is small, and the loss is scaled after it.
//   cross_entropy_mean: (row_loss, double* total or null, loss, i64 rows): one block of 1024.
#include "softmax.cuh"

#define CREMA_PLAIN_SOFTMAX(type, T) CREMA_SOFTMAX(softmax, false, type, T)
CREMA_EACH_TYPE(CREMA_PLAIN_SOFTMAX)

constexpr int kOneBlock = 1024;

CREMA_KERNEL(cross_entropy_weight, kOneBlock, const int* labels, const float* weights, i64 rows, i64 k, double* total,
             u64* errors, int slot) {
  double sum = 0;
  for (i64 r = threadIdx.x; r < rows; r += blockDim.x) {
    const int label = labels[r];
    if (label < 0 || label >= k) {
      report(errors, slot, r, label);
    } else {
      sum += weights == nullptr ? 1.0f : weights[label];
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) *total = sum;
}

CREMA_DEVICE float mean_scale_of(const double* total, i64 rows) {
  const double weight = total == nullptr ? static_cast<double>(rows) : *total;
  return weight > 0 ? static_cast<float>(1.0 / weight) : 0.0f;
}

template <typename T, typename D>
CREMA_DEVICE void cross_entropy_of_rows(const T* logits, const int* labels, const float* targets, const float* weights,
                                        const double* total, D* dlogits, float* row_loss, i64 rows, i64 k, float smoothing) {
  constexpr int kWidth = kPack<T>;
  const float on = 1.0f - smoothing, off = smoothing / static_cast<float>(k), scale = mean_scale_of(total, rows);
  const bool whole = whole_rows(k, logits, dlogits);
  each_block_row(rows, [&](i64 r) {
    const T* const x = logits + r * k;
    D* const d = dlogits + r * k;
    const Softmax s = softmax_of_row(BlockRow<T>{x, nullptr, whole}, k);
    const float m = s.most, log_sum = logf(s.sum), inverse = 1.0f / s.sum;
    if (labels != nullptr) {
      const int label = labels[r];
      const bool known = label >= 0 && label < k;  // what is not is reported by cross_entropy_weight
      const float weight = !known ? 0.0f : weights == nullptr ? 1.0f : weights[label];
      float others = 0.0f;  // sum of log sum - (x - m)
      if (smoothing != 0.0f) {
        each_pack<kWidth>(k, [&](i64 i, i64 left) {
          others += sum_of(load<kWidth>(x + i, left, whole, 0.0f), left, [=](float v) { return log_sum - (v - m); });
        });
        others = block_sum(others);
      }
      const float step = weight * scale;
      const double own = known ? static_cast<double>(log_sum) - (static_cast<double>(to_float(x[label])) - m) : 0.0;
      __syncthreads();  // dlogits may lie over the logits
      each_pack<kWidth>(k, [&](i64 i, i64 left) {
        Numbers<kWidth> v = load<kWidth>(x + i, left, whole, 0.0f);
        CREMA_UNROLL
        for (int q = 0; q < kWidth; ++q) {
          v.v[q] = (expf(v.v[q] - m) * inverse - off) * step - (i + q == label ? on * step : 0.0f);
        }
        store(d + i, v, left, whole);
      });
      if (threadIdx.x == 0) row_loss[r] = static_cast<float>(weight * (on * own + static_cast<double>(off) * others));
    } else {
      const float* const target = targets + r * k;
      const auto goal = [=](i64 j) { return (on * target[j] + off) * (weights == nullptr ? 1.0f : weights[j]); };
      float loss = 0.0f, mass = 0.0f;
      for (i64 j = threadIdx.x; j < k; j += blockDim.x) {
        const float t = goal(j);
        loss += t * (log_sum - (to_float(x[j]) - m));
        mass += t;
      }
      loss = block_sum(loss);
      mass = block_sum(mass);
      for (i64 j = threadIdx.x; j < k; j += blockDim.x) {
        put(d + j, (expf(to_float(x[j]) - m) * inverse * mass - goal(j)) * scale);
      }
      if (threadIdx.x == 0) row_loss[r] = loss;
    }
  });
}

#define CREMA_CROSS_ENTROPY(type, T, D)                                                                                          \
  CREMA_KERNEL(cross_entropy_rows_##type, kThreads, const T* logits, const int* labels, const float* targets,                    \
               const float* weights, const double* total, D* dlogits, float* row_loss, i64 rows, i64 k, float smoothing) {       \
    cross_entropy_of_rows(logits, labels, targets, weights, total, dlogits, row_loss, rows, k, smoothing);                       \
  }
CREMA_CROSS_ENTROPY(f32, float, float)
CREMA_CROSS_ENTROPY(bf16, bf16, bf16)
CREMA_CROSS_ENTROPY(f16, f16, float)

CREMA_KERNEL(cross_entropy_mean, kOneBlock, const float* row_loss, const double* total, float* loss, i64 rows) {
  double sum = 0;
  for (i64 r = threadIdx.x; r < rows; r += blockDim.x) sum += row_loss[r];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *loss = static_cast<float>(sum * mean_scale_of(total, rows));
}
