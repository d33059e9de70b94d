// softmax.cu: softmax over the last axis, its gradient, and the cross-entropy of logits. float32. NaN in, NaN out.
// In place allowed. rows.cuh says which threads take which rows; a result is written once, and what is read comes from
// memory once in NAME_warp, and in softmax_block with a cache of a row in shared memory (n rounded up to fours, floats).
//
// softmax_warp, softmax_block: (x, y, i64 rows, int n), (x, y, i64 rows, i64 n, int cached)
// softmax_grad_warp, softmax_grad_block: (y, dy, dx, i64 rows, n): dx = y (dy - sum(dy y))
// Cross-entropy of logits [rows, k], mean over examples, and its gradient; arguments as the CPU kernel's:
//   cross_entropy_weight: (int* labels, weights?, i64 rows, i64 k, double* total, u64* errors, int slot): one block of 1024:
//     sum of the weights of the labels, in a fixed order; reports labels out of range.
//   cross_entropy_rows: (logits, int* labels or null, targets or null, weights?, double* total or null, dlogits, row_loss,
//     i64 rows, i64 k, float smoothing): a row a block; `total` null: the number of rows.
//   cross_entropy_mean: (row_loss, double* total or null, loss, i64 rows): one block of 1024.
#include "softmax.cuh"

CREMA_KERNEL(softmax_warp, kThreads, const float* x, float* y, i64 rows, int n) { softmax_of_warps<false>(x, y, rows, n); }

CREMA_KERNEL(softmax_block, kThreads, const float* x, float* y, i64 rows, i64 n, int cached) {
  CREMA_DYNAMIC_SHARED(float, cache);
  softmax_of_blocks<false>(x, y, rows, n, cached != 0 ? cache : nullptr);
}

CREMA_KERNEL(softmax_grad_warp, kThreads, const float* y, const float* dy, float* dx, i64 rows, int n) {
  const bool whole = n % 4 == 0 && is_aligned(y, 16) && is_aligned(dy, 16) && is_aligned(dx, 16);
  with_fours(n, [&](auto fours) {
    constexpr int kFours = decltype(fours)::value;
    each_warp_row(rows, [&](i64 r) {
      WarpRow<kFours> a, d;
      a.load(y + r * n, n, whole, 0.0f);
      d.load(dy + r * n, n, whole, 0.0f);
      float sum = 0.0f;
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) sum += sum_of_four(map_fours(a.v[f], d.v[f], [](float p, float q) { return p * q; }));
      sum = warp_sum(sum);
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) d.v[f] = map_fours(a.v[f], d.v[f], [sum](float p, float q) { return p * (q - sum); });
      d.store(dx + r * n, n, whole);
    });
  });
}

CREMA_KERNEL(softmax_grad_block, kThreads, const float* y, const float* dy, float* dx, i64 rows, i64 n) {
  const bool whole = n % 4 == 0 && is_aligned(y, 16) && is_aligned(dy, 16) && is_aligned(dx, 16);
  each_block_row(rows, [&](i64 r) {
    const float* const a = y + r * n;
    const float* const d = dy + r * n;
    float sum = 0.0f;
    each_four(n, [&](i64 i, i64 left) {
      sum += sum_of_four(map_fours(load4(a + i, left, whole, 0.0f), load4(d + i, left, whole, 0.0f),
                                   [](float p, float q) { return p * q; }));
    });
    sum = block_sum(sum);
    each_four(n, [&](i64 i, i64 left) {
      store4(dx + r * n + i, map_fours(load4(a + i, left, whole, 0.0f), load4(d + i, left, whole, 0.0f),
                                       [sum](float p, float q) { return p * (q - sum); }),
             left, whole);
    });
  });
}

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

CREMA_KERNEL(cross_entropy_rows, kThreads, const float* logits, const int* labels, const float* targets,
             const float* weights, const double* total, float* dlogits, float* row_loss, i64 rows, i64 k,
             float smoothing) {
  const float on = 1.0f - smoothing, off = smoothing / static_cast<float>(k), scale = mean_scale_of(total, rows);
  const bool whole = k % 4 == 0 && is_aligned(logits, 16) && is_aligned(dlogits, 16);
  each_block_row(rows, [&](i64 r) {
    const float* const x = logits + r * k;
    float* const d = dlogits + r * k;
    const Softmax s = softmax_of_row({x, nullptr, whole}, k);
    const float m = s.most, log_sum = logf(s.sum), inverse = 1.0f / s.sum;
    if (labels != nullptr) {
      const int label = labels[r];
      const bool known = label >= 0 && label < k;  // what is not is reported by cross_entropy_weight
      const float weight = !known ? 0.0f : weights == nullptr ? 1.0f : weights[label];
      float others = 0.0f;  // sum of log sum - (x - m)
      if (smoothing != 0.0f) {
        each_four(k, [&](i64 i, i64 left) {
          others += sum_of_four(load4(x + i, left, whole, 0.0f), left, [=](float v) { return log_sum - (v - m); });
        });
        others = block_sum(others);
      }
      const float step = weight * scale;
      const double own = known ? static_cast<double>(log_sum) - (static_cast<double>(x[label]) - m) : 0.0;
      __syncthreads();  // dlogits may lie over the logits
      each_four(k, [&](i64 i, i64 left) {
        const float4 v = load4(x + i, left, whole, 0.0f);
        const auto slope = [=](float e, i64 j) { return (expf(e - m) * inverse - off) * step - (j == label ? on * step : 0.0f); };
        store4(d + i, make_float4(slope(v.x, i), slope(v.y, i + 1), slope(v.z, i + 2), slope(v.w, i + 3)), left, whole);
      });
      if (threadIdx.x == 0) row_loss[r] = static_cast<float>(weight * (on * own + static_cast<double>(off) * others));
    } else {
      const float* const target = targets + r * k;
      const auto goal = [=](i64 j) { return (on * target[j] + off) * (weights == nullptr ? 1.0f : weights[j]); };
      float loss = 0.0f, mass = 0.0f;
      for (i64 j = threadIdx.x; j < k; j += blockDim.x) {
        const float t = goal(j);
        loss += t * (log_sum - (x[j] - m));
        mass += t;
      }
      loss = block_sum(loss);
      mass = block_sum(mass);
      for (i64 j = threadIdx.x; j < k; j += blockDim.x) d[j] = (expf(x[j] - m) * inverse * mass - goal(j)) * scale;
      if (threadIdx.x == 0) row_loss[r] = loss;
    }
  });
}

CREMA_KERNEL(cross_entropy_mean, kOneBlock, const float* row_loss, const double* total, float* loss, i64 rows) {
  double sum = 0;
  for (i64 r = threadIdx.x; r < rows; r += blockDim.x) sum += row_loss[r];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *loss = static_cast<float>(sum * mean_scale_of(total, rows));
}
