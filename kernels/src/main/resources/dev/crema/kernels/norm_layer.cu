// norm_layer.cu: layer normalisation (Ba et al. 2016) and RMS normalisation (Zhang and Sennrich 2019) over the last axis.
// float32. Rows as rows.cuh says; the mean is subtracted before squares are summed. In place allowed forward.
//   layer_norm_warp, layer_norm_block: (x, gamma?, beta?, y, mean, inverse, i64 rows, n, float epsilon [, int cached])
//   rms_norm_warp, rms_norm_block: the same without mean
//   y = (x - mean) inverse gamma + beta, inverse = 1 / sqrt(mean square + epsilon). Reads x and writes y once.
// Gradients: dx = (g - mean(g) - hat mean(g hat)) inverse, g = dy gamma, hat = (x - mean) inverse; without mean(g) for RMS.
//   layer_norm_grad_warp, layer_norm_grad_block: (x, gamma?, mean, inverse, dy, dx, i64 rows, n)
//   rms_norm_grad_warp, rms_norm_grad_block: the same without mean
//   norm_grad_columns: (x, mean?, inverse, dy, partial, i64 rows, i64 n, i64 piece): sums over `piece` rows of dy hat and
//     dy: partial [pieces, 2, n]; 256 threads take 32 columns: grid (ceil(n / 32), pieces)
//   norm_grad_finish: (partial, dgamma, dbeta, i64 pieces, i64 n): a column a thread, about n / 256 blocks
#include "rows.cuh"

template <bool Centred>
CREMA_DEVICE void norm_of_warps(const float* x, const float* gamma, const float* beta, float* y, float* mean, float* inverse,
                                i64 rows, int n, float epsilon) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16) && is_aligned(y, 16);
  const float count = static_cast<float>(n);
  with_fours(n, [&](auto fours) {
    constexpr int kFours = decltype(fours)::value;
    each_warp_row(rows, [&](i64 r) {
      WarpRow<kFours> row;
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

template <bool Centred>
CREMA_DEVICE void norm_of_blocks(const float* x, const float* gamma, const float* beta, float* y, float* mean,
                                 float* inverse, i64 rows, i64 n, float epsilon, float* cache) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16) && is_aligned(y, 16);
  const float count = static_cast<float>(n);
  each_block_row(rows, [&](i64 r) {
    const BlockRow row = {x + r * n, cache, whole};
    float sum = 0.0f;
    each_four(n, [&](i64 i, i64 left) { sum += sum_of_four(row.first(i, left, 0.0f)); });
    const float m = Centred ? block_sum(sum) / count : 0.0f;
    float squares = 0.0f;
    each_four(n, [&](i64 i, i64 left) {
      squares += sum_of_four(row.again(i, left, 0.0f), left, [m](float v) { return (v - m) * (v - m); });
    });
    const float s = 1.0f / sqrtf(block_sum(squares) / count + epsilon);
    each_four(n, [&](i64 i, i64 left) {
      float4 v = map_four(row.again(i, left, 0.0f), [=](float e) { return (e - m) * s; });
      // Parameters are small and stay in the caches; they may be aligned to four bytes only.
      if (gamma != nullptr) v = map_fours(v, load_some(gamma + i, left, 0.0f), [](float a, float b) { return a * b; });
      if (beta != nullptr) v = map_fours(v, load_some(beta + i, left, 0.0f), [](float a, float b) { return a + b; });
      store4(y + r * n + i, v, left, whole);
    });
    if (threadIdx.x == 0) {
      if (Centred) mean[r] = m;
      inverse[r] = s;
    }
  });
}

CREMA_KERNEL(layer_norm_warp, kThreads, const float* x, const float* gamma, const float* beta, float* y, float* mean,
             float* inverse, i64 rows, int n, float epsilon) {
  norm_of_warps<true>(x, gamma, beta, y, mean, inverse, rows, n, epsilon);
}
CREMA_KERNEL(layer_norm_block, kThreads, const float* x, const float* gamma, const float* beta, float* y, float* mean,
             float* inverse, i64 rows, i64 n, float epsilon, int cached) {
  CREMA_DYNAMIC_SHARED(float, cache);
  norm_of_blocks<true>(x, gamma, beta, y, mean, inverse, rows, n, epsilon, cached != 0 ? cache : nullptr);
}
CREMA_KERNEL(rms_norm_warp, kThreads, const float* x, const float* gamma, const float* beta, float* y, float* inverse,
             i64 rows, int n, float epsilon) {
  norm_of_warps<false>(x, gamma, beta, y, nullptr, inverse, rows, n, epsilon);
}
CREMA_KERNEL(rms_norm_block, kThreads, const float* x, const float* gamma, const float* beta, float* y, float* inverse,
             i64 rows, i64 n, float epsilon, int cached) {
  CREMA_DYNAMIC_SHARED(float, cache);
  norm_of_blocks<false>(x, gamma, beta, y, nullptr, inverse, rows, n, epsilon, cached != 0 ? cache : nullptr);
}

template <bool Centred>
CREMA_DEVICE void norm_grad_of_warps(const float* x, const float* gamma, const float* mean, const float* inverse,
                                     const float* dy, float* dx, i64 rows, int n) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16) && is_aligned(dy, 16) && is_aligned(dx, 16);
  const float count = static_cast<float>(n);
  with_fours(n, [&](auto fours) {
    constexpr int kFours = decltype(fours)::value;
    each_warp_row(rows, [&](i64 r) {
      WarpRow<kFours> hat, g;
      hat.load(x + r * n, n, whole, 0.0f);
      g.load(dy + r * n, n, whole, 0.0f);
      const float m = Centred ? mean[r] : 0.0f, s = inverse[r];
      hat.map([=](float v, int) { return (v - m) * s; });
      if (gamma != nullptr) g.map([=](float d, int i) { return i < n ? d * gamma[i] : 0.0f; });
      const float share = Centred ? g.join(0.0f, Plus(), [](float v) { return v; }) / count : 0.0f;
      float slope = 0.0f;
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) {
        slope += sum_of_four(map_fours(g.v[f], hat.v[f], [](float a, float b) { return a * b; }));
      }
      slope = warp_sum(slope) / count;
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) {
        g.v[f] = map_fours(g.v[f], hat.v[f], [=](float a, float b) { return (a - share - b * slope) * s; });
      }
      g.store(dx + r * n, n, whole);
    });
  });
}

template <bool Centred>
CREMA_DEVICE void norm_grad_of_blocks(const float* x, const float* gamma, const float* mean, const float* inverse,
                                      const float* dy, float* dx, i64 rows, i64 n) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16) && is_aligned(dy, 16) && is_aligned(dx, 16);
  const float count = static_cast<float>(n);
  each_block_row(rows, [&](i64 r) {
    const float m = Centred ? mean[r] : 0.0f, s = inverse[r];
    const auto flow = [&](i64 i, i64 left) {
      const float4 d = load4(dy + r * n + i, left, whole, 0.0f);
      if (gamma == nullptr) return d;
      return map_fours(d, load_some(gamma + i, left, 0.0f), [](float a, float b) { return a * b; });
    };
    const auto hat = [&](i64 i, i64 left) {
      return map_four(load4(x + r * n + i, left, whole, m), [=](float v) { return (v - m) * s; });
    };
    float share = 0.0f, slope = 0.0f;
    each_four(n, [&](i64 i, i64 left) {
      const float4 g = flow(i, left);
      share += sum_of_four(g);
      slope += sum_of_four(map_fours(g, hat(i, left), [](float a, float b) { return a * b; }));
    });
    share = Centred ? block_sum(share) / count : 0.0f;
    slope = block_sum(slope) / count;
    each_four(n, [&](i64 i, i64 left) {
      store4(dx + r * n + i, map_fours(flow(i, left), hat(i, left), [=](float a, float b) { return (a - share - b * slope) * s; }),
             left, whole);
    });
  });
}

CREMA_KERNEL(layer_norm_grad_warp, kThreads, const float* x, const float* gamma, const float* mean, const float* inverse,
             const float* dy, float* dx, i64 rows, int n) {
  norm_grad_of_warps<true>(x, gamma, mean, inverse, dy, dx, rows, n);
}
CREMA_KERNEL(layer_norm_grad_block, kThreads, const float* x, const float* gamma, const float* mean, const float* inverse,
             const float* dy, float* dx, i64 rows, i64 n) {
  norm_grad_of_blocks<true>(x, gamma, mean, inverse, dy, dx, rows, n);
}
CREMA_KERNEL(rms_norm_grad_warp, kThreads, const float* x, const float* gamma, const float* inverse, const float* dy,
             float* dx, i64 rows, int n) {
  norm_grad_of_warps<false>(x, gamma, nullptr, inverse, dy, dx, rows, n);
}
CREMA_KERNEL(rms_norm_grad_block, kThreads, const float* x, const float* gamma, const float* inverse, const float* dy,
             float* dx, i64 rows, i64 n) {
  norm_grad_of_blocks<false>(x, gamma, nullptr, inverse, dy, dx, rows, n);
}

CREMA_KERNEL(norm_grad_columns, kThreads, const float* x, const float* mean, const float* inverse, const float* dy,
             float* partial, i64 rows, i64 n, i64 piece) {
  CREMA_SHARED_ROWS(float, of_gamma, kThreads / kWarp, kWarp);
  CREMA_SHARED_ROWS(float, of_beta, kThreads / kWarp, kWarp);
  const int lane = lane_of_warp(), warp = warp_of_block();
  const i64 j = static_cast<i64>(blockIdx.x) * kWarp + lane, from = static_cast<i64>(blockIdx.y) * piece;
  float g = 0.0f, b = 0.0f;
  if (j < n) {
    for (i64 r = from + warp; r < least(rows, from + piece); r += warps_of_block()) {
      const float d = dy[r * n + j], m = mean != nullptr ? mean[r] : 0.0f;
      g += d * ((x[r * n + j] - m) * inverse[r]);
      b += d;
    }
  }
  of_gamma[warp][lane] = g;
  of_beta[warp][lane] = b;
  __syncthreads();
  if (warp != 0 || j >= n) return;
  g = b = 0.0f;
  for (int w = 0; w < warps_of_block(); ++w) {
    g += of_gamma[w][lane];
    b += of_beta[w][lane];
  }
  partial[(2 * static_cast<i64>(blockIdx.y)) * n + j] = g;
  partial[(2 * static_cast<i64>(blockIdx.y) + 1) * n + j] = b;
}

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
