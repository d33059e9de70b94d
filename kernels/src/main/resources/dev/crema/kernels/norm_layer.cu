// norm_layer.cu: layer normalisation (Ba et al. 2016) and RMS normalisation (Zhang and Sennrich 2019) over the last axis.
// x, y, dy and dx are stored as T; statistics and parameters are float32. Rows as rows.cuh says; the mean is subtracted before
// squares are summed. In place allowed forward.
//   layer_norm_warp_T, layer_norm_block_T: (x, gamma?, beta?, y, mean, inverse, i64 rows, n, float epsilon [, int cached])
//   rms_norm_warp_T, rms_norm_block_T: the same without mean
//   y = (x - mean) inverse gamma + beta, inverse = 1 / sqrt(mean square + epsilon). Reads x and writes y once.
// Gradients: dx = (g - mean(g) - hat mean(g hat)) inverse, g = dy gamma, hat = (x - mean) inverse; without mean(g) for RMS.
//   layer_norm_grad_warp_T, layer_norm_grad_block_T: (x, gamma?, mean, inverse, dy, dx, i64 rows, n)
//   rms_norm_grad_warp_T, rms_norm_grad_block_T: the same without mean
//   norm_grad_columns_T: (x, mean?, inverse, dy, partial, i64 rows, i64 n, i64 piece): sums over `piece` rows of dy hat and
//     dy: partial [pieces, 2, n]; 256 threads, as columns.cuh says; grid: any, about pieces n / 32
//   norm_grad_finish: (partial, dgamma, dbeta, i64 pieces, i64 n): a column a thread, about n / 256 blocks
#include "columns.cuh"
#include "rows.cuh"

template <bool Centred, typename T>
CREMA_DEVICE void norm_of_warps(const T* x, const float* gamma, const float* beta, T* y, float* mean, float* inverse, i64 rows,
                                int n, float epsilon) {
  const bool whole = whole_rows(n, x, y);
  const float count = static_cast<float>(n);
  with_packs<T>(n, [&](auto packs) {
    each_warp_row(rows, [&](i64 r) {
      WarpRow<T, decltype(packs)::value> row;
      row.load(x + r * n, n, whole, 0.0f);
      const float m = Centred ? row.join(0.0f, Plus(), [](float v) { return v; }) / count : 0.0f;
      row.map([=](float v, int i) { return i < n ? v - m : 0.0f; });
      const float s = 1.0f / sqrtf(row.join(0.0f, Plus(), [](float v) { return v * v; }) / count + epsilon);
      row.map([=](float v, int i) {
        if (i >= n) return 0.0f;
        const float hat = gamma != nullptr ? v * s * gamma[i] : v * s;
        return beta != nullptr ? hat + beta[i] : hat;
      });
      row.store(y + r * n, n, whole);
      if (lane_of_warp() == 0) {
        if (Centred) mean[r] = m;
        inverse[r] = s;
      }
    });
  });
}

// Parameters are small and stay in the caches; they may be aligned to four bytes only.
template <int N>
CREMA_DEVICE Numbers<N> times(const Numbers<N>& v, const float* gamma, i64 i, i64 left) {
  if (gamma == nullptr) return v;
  return map(v, load<N>(gamma + i, left, false, 0.0f), [](float a, float b) { return a * b; });
}
template <int N>
CREMA_DEVICE Numbers<N> plus(const Numbers<N>& v, const float* beta, i64 i, i64 left) {
  if (beta == nullptr) return v;
  return map(v, load<N>(beta + i, left, false, 0.0f), [](float a, float b) { return a + b; });
}

template <bool Centred, typename T>
CREMA_DEVICE void norm_of_blocks(const T* x, const float* gamma, const float* beta, T* y, float* mean, float* inverse, i64 rows,
                                 i64 n, float epsilon, float* cache) {
  constexpr int kWidth = kPack<T>;
  const bool whole = whole_rows(n, x, y);
  const float count = static_cast<float>(n);
  each_block_row(rows, [&](i64 r) {
    const BlockRow<T> row = {x + r * n, cache, whole};
    float sum = 0.0f;
    each_pack<kWidth>(n, [&](i64 i, i64 left) { sum += sum_of(row.first(i, left, 0.0f)); });
    const float m = Centred ? block_sum(sum) / count : 0.0f;
    float squares = 0.0f;
    each_pack<kWidth>(n, [&](i64 i, i64 left) {
      squares += sum_of(row.again(i, left, 0.0f), left, [m](float v) { return (v - m) * (v - m); });
    });
    const float s = 1.0f / sqrtf(block_sum(squares) / count + epsilon);
    each_pack<kWidth>(n, [&](i64 i, i64 left) {
      const auto hat = map(row.again(i, left, 0.0f), [=](float e) { return (e - m) * s; });
      store(y + r * n + i, plus(times(hat, gamma, i, left), beta, i, left), left, whole);
    });
    if (threadIdx.x == 0) {
      if (Centred) mean[r] = m;
      inverse[r] = s;
    }
  });
}

template <bool Centred, typename T>
CREMA_DEVICE void norm_grad_of_warps(const T* x, const float* gamma, const float* mean, const float* inverse, const T* dy, T* dx,
                                     i64 rows, int n) {
  const bool whole = whole_rows(n, x, dy, dx);
  const float count = static_cast<float>(n);
  with_packs<T>(n, [&](auto packs) {
    each_warp_row(rows, [&](i64 r) {
      WarpRow<T, decltype(packs)::value> hat, g;
      hat.load(x + r * n, n, whole, 0.0f);
      g.load(dy + r * n, n, whole, 0.0f);
      const float m = Centred ? mean[r] : 0.0f, s = inverse[r];
      hat.map([=](float v, int) { return (v - m) * s; });
      if (gamma != nullptr) g.map([=](float d, int i) { return i < n ? d * gamma[i] : 0.0f; });
      const float share = Centred ? g.join(0.0f, Plus(), [](float v) { return v; }) / count : 0.0f;
      const float slope = g.sum(hat, [](float a, float b) { return a * b; }) / count;
      g.map(hat, [=](float a, float b) { return (a - share - b * slope) * s; });
      g.store(dx + r * n, n, whole);
    });
  });
}

template <bool Centred, typename T>
CREMA_DEVICE void norm_grad_of_blocks(const T* x, const float* gamma, const float* mean, const float* inverse, const T* dy, T* dx,
                                      i64 rows, i64 n) {
  constexpr int kWidth = kPack<T>;
  const bool whole = whole_rows(n, x, dy, dx);
  const float count = static_cast<float>(n);
  each_block_row(rows, [&](i64 r) {
    const float m = Centred ? mean[r] : 0.0f, s = inverse[r];
    const auto flow = [&](i64 i, i64 left) { return times(load<kWidth>(dy + r * n + i, left, whole, 0.0f), gamma, i, left); };
    const auto hat = [&](i64 i, i64 left) {
      return map(load<kWidth>(x + r * n + i, left, whole, m), [=](float v) { return (v - m) * s; });
    };
    float share = 0.0f, slope = 0.0f;
    each_pack<kWidth>(n, [&](i64 i, i64 left) {
      const auto g = flow(i, left);
      share += sum_of(g);
      slope += sum_of(map(g, hat(i, left), [](float a, float b) { return a * b; }));
    });
    share = Centred ? block_sum(share) / count : 0.0f;
    slope = block_sum(slope) / count;
    each_pack<kWidth>(n, [&](i64 i, i64 left) {
      store(dx + r * n + i, map(flow(i, left), hat(i, left), [=](float a, float b) { return (a - share - b * slope) * s; }), left,
            whole);
    });
  });
}

template <typename T>
CREMA_DEVICE void norm_grad_columns(const T* x, const float* mean, const float* inverse, const T* dy, float* partial, i64 rows,
                                    i64 n, i64 piece) {
  const bool whole = is_aligned(x, 16) && is_aligned(dy, 16);
  with_columns<T>(n, [&](auto c) {
    constexpr int V = decltype(c)::kColumns;
    each_piece(c, 1, rows, piece, [&](i64 p, i64 from, i64 end, i64 slice) {
      const i64 j = c.column(slice);
      Numbers<V> sums[2] = {all_of<V>(0.0f), all_of<V>(0.0f)};
      for (i64 r = from + c.row; j < n && r < end; r += c.depth) {
        const float m = mean != nullptr ? mean[r] : 0.0f, s = inverse[r];
        const auto d = load<V>(dy + r * n + j, V, whole, 0.0f), v = load<V>(x + r * n + j, V, whole, 0.0f);
        CREMA_UNROLL
        for (int k = 0; k < V; ++k) {
          sums[0].v[k] += d.v[k] * ((v.v[k] - m) * s);
          sums[1].v[k] += d.v[k];
        }
      }
      join_rows(c, sums, Plus());
      if (c.row != 0 || j >= n) return;
      store(partial + 2 * p * n + j, sums[0], V, is_aligned(partial, 16));
      store(partial + (2 * p + 1) * n + j, sums[1], V, is_aligned(partial, 16));
    });
  });
}

#define CREMA_NORMS(type, T)                                                                                                  \
  CREMA_KERNEL(layer_norm_warp_##type, kThreads, const T* x, const float* gamma, const float* beta, T* y, float* mean,        \
               float* inverse, i64 rows, int n, float epsilon) {                                                              \
    norm_of_warps<true>(x, gamma, beta, y, mean, inverse, rows, n, epsilon);                                                  \
  }                                                                                                                           \
  CREMA_KERNEL(layer_norm_block_##type, kThreads, const T* x, const float* gamma, const float* beta, T* y, float* mean,       \
               float* inverse, i64 rows, i64 n, float epsilon, int cached) {                                                  \
    CREMA_DYNAMIC_SHARED(float, cache);                                                                                       \
    norm_of_blocks<true>(x, gamma, beta, y, mean, inverse, rows, n, epsilon, cached != 0 ? cache : nullptr);                  \
  }                                                                                                                           \
  CREMA_KERNEL(rms_norm_warp_##type, kThreads, const T* x, const float* gamma, const float* beta, T* y, float* inverse,       \
               i64 rows, int n, float epsilon) {                                                                              \
    norm_of_warps<false>(x, gamma, beta, y, nullptr, inverse, rows, n, epsilon);                                              \
  }                                                                                                                           \
  CREMA_KERNEL(rms_norm_block_##type, kThreads, const T* x, const float* gamma, const float* beta, T* y, float* inverse,      \
               i64 rows, i64 n, float epsilon, int cached) {                                                                  \
    CREMA_DYNAMIC_SHARED(float, cache);                                                                                       \
    norm_of_blocks<false>(x, gamma, beta, y, nullptr, inverse, rows, n, epsilon, cached != 0 ? cache : nullptr);              \
  }                                                                                                                           \
  CREMA_KERNEL(layer_norm_grad_warp_##type, kThreads, const T* x, const float* gamma, const float* mean,                      \
               const float* inverse, const T* dy, T* dx, i64 rows, int n) {                                                   \
    norm_grad_of_warps<true>(x, gamma, mean, inverse, dy, dx, rows, n);                                                       \
  }                                                                                                                           \
  CREMA_KERNEL(layer_norm_grad_block_##type, kThreads, const T* x, const float* gamma, const float* mean,                     \
               const float* inverse, const T* dy, T* dx, i64 rows, i64 n) {                                                   \
    norm_grad_of_blocks<true>(x, gamma, mean, inverse, dy, dx, rows, n);                                                      \
  }                                                                                                                           \
  CREMA_KERNEL(rms_norm_grad_warp_##type, kThreads, const T* x, const float* gamma, const float* inverse, const T* dy, T* dx, \
               i64 rows, int n) {                                                                                             \
    norm_grad_of_warps<false>(x, gamma, nullptr, inverse, dy, dx, rows, n);                                                   \
  }                                                                                                                           \
  CREMA_KERNEL(rms_norm_grad_block_##type, kThreads, const T* x, const float* gamma, const float* inverse, const T* dy,       \
               T* dx, i64 rows, i64 n) {                                                                                      \
    norm_grad_of_blocks<false>(x, gamma, nullptr, inverse, dy, dx, rows, n);                                                  \
  }                                                                                                                           \
  CREMA_KERNEL(norm_grad_columns_##type, kThreads, const T* x, const float* mean, const float* inverse, const T* dy,          \
               float* partial, i64 rows, i64 n, i64 piece) {                                                                  \
    norm_grad_columns(x, mean, inverse, dy, partial, rows, n, piece);                                                         \
  }
CREMA_EACH_TYPE(CREMA_NORMS)

CREMA_KERNEL(norm_grad_finish, kThreads, const float* partial, float* dgamma, float* dbeta, i64 pieces, i64 n) {
  for (i64 j = global_thread(); j < n; j += global_threads()) {
    float g = 0.0f, b = 0.0f;
    for (i64 p = 0; p < pieces; ++p) {
      g += partial[2 * p * n + j];
      b += partial[(2 * p + 1) * n + j];
    }
    dgamma[j] = g;
    dbeta[j] = b;
  }
}
