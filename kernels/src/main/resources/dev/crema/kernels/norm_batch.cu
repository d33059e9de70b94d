// norm_batch.cu: batch normalisation of [rows, n] over the rows (Ioffe and Szegedy 2015). x, y, dy and dx are stored as T; statistics
// and parameters are float32. Statistics are taken of a few rows at a time and merged (Chan et al. 1979): as exact as two passes
// over everything, in one.
//   batch_norm_pieces_T: (x, partial, i64 rows, i64 n, i64 piece): means and sums of squared deviations of `piece` rows: partial
//     [pieces, 2, n]; 256 threads, as columns.cuh says; grid: any, about pieces n / 32
//   batch_norm_finish: (partial, gamma?, beta?, running_mean, running_variance, mean, inverse, scale, shift, u64* errors?, i64
//     rows, i64 n, i64 piece, float epsilon, float momentum): a column a warp, about n / 8 blocks; running = (1 - momentum)
//     running + momentum batch, with the unbiased variance, unless a kernel before failed; scale and shift [n] are scratch
//   batch_norm_apply_T: (x, mean, scale, shift, y, i64 rows, i64 n): y = (x - mean) scale + shift; about rows n / 1024 blocks
//   batch_norm_run: (mean, inverse, running_mean, running_variance, u64* errors?, i64 rows, i64 n, float epsilon, float momentum):
//     what batch_norm_finish does to the running statistics, after a library; about n / 256 blocks. The variance comes from
//     inverse: it is as exact as where it will be used, with epsilon added
//   batch_norm_grad_pieces_T: (x, mean, dy, partial, i64 rows, i64 n, i64 piece): sums of dy and of dy (x - mean), as above
//   batch_norm_grad_finish: (partial, gamma?, inverse, dgamma, dbeta, scale, share, slope, i64 rows, i64 n, i64 pieces)
//   batch_norm_grad_apply_T: (x, mean, dy, scale, share, slope, dx, i64 rows, i64 n): dx = scale (dy - share - (x - mean) slope)
#include "columns.cuh"
#include "rows.cuh"

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

constexpr int kRowsAtOnce = 4;  // of a thread

// Adds the moments of `there` numbers of each column.
template <int V>
CREMA_DEVICE void merge_rows(const Numbers<V> (&x)[kRowsAtOnce], int there, float& count, Numbers<V>& mean, Numbers<V>& squares) {
  const float weight = 1.0f / static_cast<float>(there), total = count + static_cast<float>(there);
  const float part = static_cast<float>(there) / total, between = count * part;
  CREMA_UNROLL
  for (int k = 0; k < V; ++k) {
    float m = 0.0f, s = 0.0f;
    CREMA_UNROLL
    for (int r = 0; r < kRowsAtOnce; ++r) m += r < there ? x[r].v[k] : 0.0f;
    m *= weight;
    CREMA_UNROLL
    for (int r = 0; r < kRowsAtOnce; ++r) s += r < there ? (x[r].v[k] - m) * (x[r].v[k] - m) : 0.0f;
    const float d = m - mean.v[k];
    mean.v[k] += d * part;
    squares.v[k] += s + d * d * between;
  }
  count = total;
}

template <typename T>
CREMA_DEVICE void batch_norm_pieces(const T* x, float* partial, i64 rows, i64 n, i64 piece) {
  const bool whole = is_aligned(x, 16);
  with_columns<T>(n, [&](auto c) {
    constexpr int V = decltype(c)::kColumns;
    CREMA_SHARED(float, counts, kThreads);
    CREMA_SHARED(float, of_threads, 2 * V * kThreads);  // means, then squares
    float* const own = of_threads + threadIdx.x;
    each_piece(c, 1, rows, piece, [&](i64 p, i64 from, i64 end, i64 slice) {
      const i64 j = c.column(slice), step = static_cast<i64>(kRowsAtOnce) * c.depth;
      float count = 0.0f;
      Numbers<V> mean = all_of<V>(0.0f), squares = all_of<V>(0.0f);
      for (i64 r = from + c.row; j < n && r < end; r += step) {
        Numbers<V> v[kRowsAtOnce];
        int there = 0;
        CREMA_UNROLL
        for (int k = 0; k < kRowsAtOnce; ++k) {
          const i64 at = r + static_cast<i64>(k) * c.depth;
          v[k] = at < end ? load<V>(x + at * n + j, V, whole, 0.0f) : all_of<V>(0.0f);
          there += at < end ? 1 : 0;
        }
        merge_rows(v, there, count, mean, squares);
      }
      __syncthreads();  // the piece before has been read
      counts[threadIdx.x] = count;
      CREMA_UNROLL
      for (int k = 0; k < V; ++k) {
        own[k * kThreads] = mean.v[k];
        own[(V + k) * kThreads] = squares.v[k];
      }
      for (int half = c.depth / 2; half > 0; half /= 2) {
        __syncthreads();
        if (c.row >= half) continue;
        const int other = half * c.width;
        const float a = counts[threadIdx.x], b = counts[threadIdx.x + other];
        for (int k = 0; k < V; ++k) {
          const Moments m = merged({a, own[k * kThreads], own[(V + k) * kThreads]},
                                   {b, own[k * kThreads + other], own[(V + k) * kThreads + other]});
          own[k * kThreads] = m.mean;
          own[(V + k) * kThreads] = m.squares;
        }
        counts[threadIdx.x] = a + b;
      }
      if (c.row != 0 || j >= n) return;
      CREMA_UNROLL
      for (int k = 0; k < V; ++k) {
        partial[2 * p * n + j + k] = own[k * kThreads];
        partial[(2 * p + 1) * n + j + k] = own[(V + k) * kThreads];
      }
    });
  });
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

CREMA_KERNEL(batch_norm_run, kThreads, const float* mean, const float* inverse, float* running_mean, float* running_variance,
             const u64* errors, i64 rows, i64 n, float epsilon, float momentum) {
  if (has_failed(errors)) return;
  const float total = static_cast<float>(rows), unbiased = rows > 1 ? total / (total - 1.0f) : 1.0f;
  for (i64 j = global_thread(); j < n; j += global_threads()) {
    const float biased = 1.0f / (inverse[j] * inverse[j]) - epsilon;
    const float variance = biased < 0.0f ? 0.0f : biased;  // by rounding; NaN stays
    running_mean[j] += momentum * (mean[j] - running_mean[j]);
    running_variance[j] += momentum * (variance * unbiased - running_variance[j]);
  }
}

// Calls f(first element, its column, how many adjoining columns) for the elements of this thread.
template <typename T, typename F>
CREMA_DEVICE void each_of_columns(i64 rows, i64 n, bool whole, F f) {
  const bool small = rows * n <= 0xffffffffll;  // a division of 32 bits is several times as fast
  const auto walk = [&](auto width) {
    constexpr int V = decltype(width)::value;
    for (i64 i = V * global_thread(); i < rows * n; i += V * global_threads()) {
      f(i, small ? static_cast<u32>(i) % static_cast<u32>(n) : i % n, width);
    }
  };
  if (whole && n % kPack<T> == 0) {
    walk(Packs<kPack<T>>());
  } else {
    walk(Packs<1>());
  }
}

template <typename T>
CREMA_DEVICE void batch_norm_apply(const T* x, const float* mean, const float* scale, const float* shift, T* y, i64 rows, i64 n) {
  const bool whole = is_aligned(x, 16) && is_aligned(y, 16) && is_aligned(mean, 16) && is_aligned(scale, 16) && is_aligned(shift, 16);
  each_of_columns<T>(rows, n, whole, [&](i64 i, i64 j, auto width) {
    constexpr int V = decltype(width)::value;
    const auto m = load<V>(mean + j, V, whole, 0.0f), s = load<V>(scale + j, V, whole, 0.0f), b = load<V>(shift + j, V, whole, 0.0f);
    auto v = load<V>(x + i, V, whole, 0.0f);
    CREMA_UNROLL
    for (int k = 0; k < V; ++k) v.v[k] = (v.v[k] - m.v[k]) * s.v[k] + b.v[k];
    store(y + i, v, V, whole);
  });
}

template <typename T>
CREMA_DEVICE void batch_norm_grad_pieces(const T* x, const float* mean, const T* dy, float* partial, i64 rows, i64 n, i64 piece) {
  const bool whole = is_aligned(x, 16) && is_aligned(dy, 16);
  with_columns<T>(n, [&](auto c) {
    constexpr int V = decltype(c)::kColumns;
    each_piece(c, 1, rows, piece, [&](i64 p, i64 from, i64 end, i64 slice) {
      const i64 j = c.column(slice);
      const auto m = j < n ? load<V>(mean + j, V, false, 0.0f) : all_of<V>(0.0f);
      Numbers<V> sums[2] = {all_of<V>(0.0f), all_of<V>(0.0f)};
      for (i64 r = from + c.row; j < n && r < end; r += c.depth) {
        const auto d = load<V>(dy + r * n + j, V, whole, 0.0f), v = load<V>(x + r * n + j, V, whole, 0.0f);
        CREMA_UNROLL
        for (int k = 0; k < V; ++k) {
          sums[0].v[k] += d.v[k];
          sums[1].v[k] += d.v[k] * (v.v[k] - m.v[k]);
        }
      }
      join_rows(c, sums, Plus());
      if (c.row != 0 || j >= n) return;
      store(partial + 2 * p * n + j, sums[0], V, is_aligned(partial, 16));
      store(partial + (2 * p + 1) * n + j, sums[1], V, is_aligned(partial, 16));
    });
  });
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

template <typename T>
CREMA_DEVICE void batch_norm_grad_apply(const T* x, const float* mean, const T* dy, const float* scale, const float* share,
                                        const float* slope, T* dx, i64 rows, i64 n) {
  const bool whole = is_aligned(x, 16) && is_aligned(dy, 16) && is_aligned(dx, 16) && is_aligned(mean, 16) &&
                     is_aligned(scale, 16) && is_aligned(share, 16) && is_aligned(slope, 16);
  each_of_columns<T>(rows, n, whole, [&](i64 i, i64 j, auto width) {
    constexpr int V = decltype(width)::value;
    const auto m = load<V>(mean + j, V, whole, 0.0f), s = load<V>(scale + j, V, whole, 0.0f);
    const auto h = load<V>(share + j, V, whole, 0.0f), l = load<V>(slope + j, V, whole, 0.0f);
    const auto v = load<V>(x + i, V, whole, 0.0f);
    auto d = load<V>(dy + i, V, whole, 0.0f);
    CREMA_UNROLL
    for (int k = 0; k < V; ++k) d.v[k] = (d.v[k] - h.v[k] - (v.v[k] - m.v[k]) * l.v[k]) * s.v[k];
    store(dx + i, d, V, whole);
  });
}

#define CREMA_BATCH_NORM(type, T)                                                                                           \
  CREMA_KERNEL(batch_norm_pieces_##type, kThreads, const T* x, float* partial, i64 rows, i64 n, i64 piece) {                \
    batch_norm_pieces(x, partial, rows, n, piece);                                                                          \
  }                                                                                                                         \
  CREMA_KERNEL(batch_norm_apply_##type, kThreads, const T* x, const float* mean, const float* scale, const float* shift,    \
               T* y, i64 rows, i64 n) {                                                                                     \
    batch_norm_apply(x, mean, scale, shift, y, rows, n);                                                                    \
  }                                                                                                                         \
  CREMA_KERNEL(batch_norm_grad_pieces_##type, kThreads, const T* x, const float* mean, const T* dy, float* partial,         \
               i64 rows, i64 n, i64 piece) {                                                                                \
    batch_norm_grad_pieces(x, mean, dy, partial, rows, n, piece);                                                           \
  }                                                                                                                         \
  CREMA_KERNEL(batch_norm_grad_apply_##type, kThreads, const T* x, const float* mean, const T* dy, const float* scale,      \
               const float* share, const float* slope, T* dx, i64 rows, i64 n) {                                            \
    batch_norm_grad_apply(x, mean, dy, scale, share, slope, dx, rows, n);                                                   \
  }
CREMA_EACH_TYPE(CREMA_BATCH_NORM)
