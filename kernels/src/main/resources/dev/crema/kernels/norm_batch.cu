// norm_batch.cu: batch normalisation of [rows, n] over the rows (Ioffe and Szegedy 2015). float32. Statistics are taken piece
// by piece, each in two passes, and merged (Chan et al. 1979): as exact as two passes over everything.
//   batch_norm_pieces: (x, partial, i64 rows, i64 n, i64 piece): means and sums of squared deviations of `piece` rows: partial
//     [pieces, 2, n]; 256 threads take 32 columns: grid (ceil(n / 32), pieces)
//   batch_norm_finish: (partial, gamma?, beta?, running_mean, running_variance, mean, inverse, scale, shift, u64* errors?, i64
//     rows, i64 n, i64 piece, float epsilon, float momentum): a column a warp, about n / 8 blocks; running = (1 - momentum)
//     running + momentum batch, with the unbiased variance, unless a kernel before failed; scale and shift [n] are scratch
//   batch_norm_apply: (x, mean, scale, shift, y, i64 rows, i64 n): y = (x - mean) scale + shift; about rows n / 256 blocks
//   batch_norm_grad_pieces: (x, mean, dy, partial, i64 rows, i64 n, i64 piece): sums of dy and of dy (x - mean), as above
//   batch_norm_grad_finish: (partial, gamma?, inverse, dgamma, dbeta, scale, share, slope, i64 rows, i64 n, i64 pieces)
//   batch_norm_grad_apply: (x, mean, dy, scale, share, slope, dx, i64 rows, i64 n): dx = scale (dy - share - (x - mean) slope)
#include "rows.cuh"

// f(row, sums) for the rows of this block's piece and the column of this lane, if it is there; the sums in all warps.
template <typename F>
CREMA_DEVICE float2 column_sums(i64 from, i64 end, bool there, F f) {
  CREMA_SHARED_ROWS(float, first, kThreads / kWarp, kWarp);
  CREMA_SHARED_ROWS(float, second, kThreads / kWarp, kWarp);
  const int lane = lane_of_warp(), warp = warp_of_block();
  float2 sum = {0.0f, 0.0f};
  if (there) {
    for (i64 r = from + warp; r < end; r += warps_of_block()) f(r, sum);
  }
  __syncthreads();
  first[warp][lane] = sum.x;
  second[warp][lane] = sum.y;
  __syncthreads();
  sum = {0.0f, 0.0f};
  for (int w = 0; w < warps_of_block(); ++w) {
    sum.x += first[w][lane];
    sum.y += second[w][lane];
  }
  return sum;
}

CREMA_KERNEL(batch_norm_pieces, kThreads, const float* x, float* partial, i64 rows, i64 n, i64 piece) {
  const i64 j = static_cast<i64>(blockIdx.x) * kWarp + lane_of_warp();
  const i64 from = static_cast<i64>(blockIdx.y) * piece, end = least(rows, from + piece);
  const float sum = column_sums(from, end, j < n, [=](i64 r, float2& s) { s.x += x[r * n + j]; }).x;
  const float mean = sum / static_cast<float>(end - from);
  const float squares = column_sums(from, end, j < n, [=](i64 r, float2& s) {
                          const float d = x[r * n + j] - mean;
                          s.x += d * d;
                        }).x;
  if (warp_of_block() != 0 || j >= n) return;
  partial[2 * static_cast<i64>(blockIdx.y) * n + j] = mean;
  partial[(2 * static_cast<i64>(blockIdx.y) + 1) * n + j] = squares;
}

// Of some rows: their number, mean, and sum of squared deviations.
struct Moments {
  float count, mean, squares;
};
CREMA_DEVICE Moments merged(Moments a, Moments b) {
  const float count = a.count + b.count;
  if (count == 0.0f) return a;
  const float d = b.mean - a.mean, part = b.count / count;
  return {count, a.mean + d * part, a.squares + b.squares + d * d * (a.count * part)};
}

CREMA_KERNEL(batch_norm_finish, kThreads, const float* partial, const float* gamma, const float* beta, float* running_mean,
             float* running_variance, float* mean, float* inverse, float* scale, float* shift, const u64* errors, i64 rows,
             i64 n, i64 piece, float epsilon, float momentum) {
  const i64 pieces = (rows + piece - 1) / piece;
  const float total = static_cast<float>(rows), unbiased = rows > 1 ? total - 1.0f : 1.0f;
  each_warp_row(n, [&](i64 j) {
    Moments m = {0.0f, 0.0f, 0.0f};
    for (i64 p = lane_of_warp(); p < pieces; p += kWarp) {
      const float count = static_cast<float>(least(piece, rows - p * piece));
      m = merged(m, {count, partial[2 * p * n + j], partial[(2 * p + 1) * n + j]});
    }
    for (int step = kWarp / 2; step > 0; step /= 2) {
      m = merged(m, {__shfl_down_sync(kAllLanes, m.count, step), __shfl_down_sync(kAllLanes, m.mean, step),
                     __shfl_down_sync(kAllLanes, m.squares, step)});
    }
    if (lane_of_warp() != 0) return;
    const float s = 1.0f / sqrtf(m.squares / total + epsilon);
    mean[j] = m.mean;
    inverse[j] = s;
    scale[j] = gamma != nullptr ? s * gamma[j] : s;
    shift[j] = beta != nullptr ? beta[j] : 0.0f;
    if (has_failed(errors)) return;
    running_mean[j] += momentum * (m.mean - running_mean[j]);
    running_variance[j] += momentum * (m.squares / unbiased - running_variance[j]);
  });
}

// The column of element i. A division of 32 bits is several times as fast.
CREMA_DEVICE i64 column_of(i64 i, i64 n, bool small) { return small ? static_cast<u32>(i) % static_cast<u32>(n) : i % n; }

CREMA_KERNEL(batch_norm_apply, kThreads, const float* x, const float* mean, const float* scale, const float* shift, float* y,
             i64 rows, i64 n) {
  const bool small = rows * n <= 0xffffffffll;
  for (i64 i = global_thread(); i < rows * n; i += global_threads()) {
    const i64 j = column_of(i, n, small);
    y[i] = (x[i] - mean[j]) * scale[j] + shift[j];
  }
}

CREMA_KERNEL(batch_norm_grad_pieces, kThreads, const float* x, const float* mean, const float* dy, float* partial, i64 rows,
             i64 n, i64 piece) {
  const i64 j = static_cast<i64>(blockIdx.x) * kWarp + lane_of_warp();
  const i64 from = static_cast<i64>(blockIdx.y) * piece, end = least(rows, from + piece);
  const float m = j < n ? mean[j] : 0.0f;
  const float2 sum = column_sums(from, end, j < n, [=](i64 r, float2& s) {
    const float d = dy[r * n + j];
    s.x += d;
    s.y += d * (x[r * n + j] - m);
  });
  if (warp_of_block() != 0 || j >= n) return;
  partial[2 * static_cast<i64>(blockIdx.y) * n + j] = sum.x;
  partial[(2 * static_cast<i64>(blockIdx.y) + 1) * n + j] = sum.y;
}

CREMA_KERNEL(batch_norm_grad_finish, kThreads, const float* partial, const float* gamma, const float* inverse, float* dgamma,
             float* dbeta, float* scale, float* share, float* slope, i64 rows, i64 n, i64 pieces) {
  const float total = static_cast<float>(rows);
  each_warp_row(n, [&](i64 j) {
    float sum = 0.0f, product = 0.0f;
    for (i64 p = lane_of_warp(); p < pieces; p += kWarp) {
      sum += partial[2 * p * n + j];
      product += partial[(2 * p + 1) * n + j];
    }
    sum = warp_sum(sum);
    product = warp_sum(product) * inverse[j];
    if (lane_of_warp() != 0) return;
    dbeta[j] = sum;
    dgamma[j] = product;
    scale[j] = gamma != nullptr ? inverse[j] * gamma[j] : inverse[j];
    share[j] = rows > 0 ? sum / total : 0.0f;
    slope[j] = rows > 0 ? product * inverse[j] / total : 0.0f;
  });
}

CREMA_KERNEL(batch_norm_grad_apply, kThreads, const float* x, const float* mean, const float* dy, const float* scale,
             const float* share, const float* slope, float* dx, i64 rows, i64 n) {
  const bool small = rows * n <= 0xffffffffll;
  for (i64 i = global_thread(); i < rows * n; i += global_threads()) {
    const i64 j = column_of(i, n, small);
    dx[i] = (dy[i] - share[j] - (x[i] - mean[j]) * slope[j]) * scale[j];
  }
}
