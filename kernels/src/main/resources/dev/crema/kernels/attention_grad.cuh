// attention_grad.cuh: the gradient of attention in tiles, as attention.cuh says: a pass over queries for dq, one over keys for dk and dv.
#pragma once

#include "attention.cuh"

// dq: as forward; `delta` [heads, t] is the sum of dy y of each query.
template <typename T, int D>
CREMA_DEVICE void attention_grad_queries(const T* q, const T* k, const T* v, const T* dy, const float* lse, const float* delta, T* dq,
                                         const Extents& x) {
  using A = Attention<T, D, Pass::kQueries>;
  constexpr int kTiles = A::kTiles, kStep = A::kStep;
  CREMA_DYNAMIC_SHARED(T, own);
  T *const flows = own + A::kRows * A::kRow, *const steps = flows + A::kRows * A::kRow;
  float* const room = reinterpret_cast<float*>(steps + 4 * kStep * A::kRow) + warp_of_block() * 16 * A::kWeightRow;
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4, down = warp_of_block() * kTiles * 16;
  const float c = x.scale * kLog2e;
  each_tile<A::kRows>(x, x.t, x.causal != 0, [&](i64 head, i64 row0) {
    const T *const keys = of_head(k, x, head, x.s, x.d), *const values = of_head(v, x, head, x.s, x.e);
    const i64 end = x.causal != 0 ? least(x.s, row0 + A::kRows) : x.s;
    float sums[kTiles][D / 8][4], shift[kTiles][2], mean[kTiles][2], by[kTiles][2];
    clear(sums);
    CREMA_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      CREMA_UNROLL
      for (int h = 0; h < 2; ++h) {
        const i64 row = row0 + down + i * 16 + h * 8 + g;
        shift[i][h] = row < x.t ? of_head(lse, x, head, x.t, 1)[row * x.inner] * kLog2e : 0.0f;
        mean[i][h] = row < x.t ? of_head(delta, x, head, x.t, 1)[row * x.inner] : 0.0f;
        by[i][h] = x.scale;
      }
    }
    __syncthreads();
    fetch<A::kRows, D, A::kThreads>(of_head(q, x, head, x.t, x.d), row0, x.t, x.d, x.inner * x.d, own);
    fetch<A::kRows, D, A::kThreads>(of_head(dy, x, head, x.t, x.e), row0, x.t, x.e, x.inner * x.e, flows);
    const auto fetch_step = [&](i64 row, T* of_keys, T* of_values, int) {
      fetch<kStep, D, A::kThreads>(keys, row, x.s, x.d, x.inner * x.d, of_keys);
      fetch<kStep, D, A::kThreads>(values, row, x.s, x.e, x.inner * x.e, of_values);
    };
    each_step<kStep, D, A::kThreads>(i64{0}, end, steps, fetch_step, [&](i64 key0, const T* of_keys, const T* of_values, int) {
      float w[kTiles][kStep / 8][4], slopes[kTiles][kStep / 8][4];
      Products<T>::template multiply_rows<D>(w, own + down * A::kRow, of_keys);
      Products<T>::template multiply_rows<D>(slopes, flows + down * A::kRow, of_values);
      const bool edge = key0 + kStep > x.s || (x.causal != 0 && key0 + kStep > row0 + down);
      CREMA_UNROLL
      for (int i = 0; i < kTiles; ++i) {
        CREMA_UNROLL
        for (int h = 0; h < 2; ++h) {
          const i64 last = x.causal != 0 ? least(x.s - 1, row0 + down + i * 16 + h * 8 + g) : x.s - 1;
          CREMA_UNROLL
          for (int j = 0; j < kStep / 8; ++j) {
            CREMA_UNROLL
            for (int p = 0; p < 2; ++p) {
              const float weight = exp2_of(fmaf(w[i][j][2 * h + p], c, -shift[i][h]));
              float& slope = slopes[i][j][2 * h + p];
              slope = edge && key0 + j * 8 + 2 * t + p > last ? 0.0f : weight * (slope - mean[i][h]);
            }
          }
        }
      }
      Products<T>::template add_weighted<D>(sums, slopes, of_keys, room);
    });
    put_rows<kTiles, D>(sums, by, of_head(dq, x, head, x.t, x.d), row0 + down, x.t, x.d, x.inner * x.d);
  });
}

// dk and dv: rows are keys, queries pass by; the scores are transposed.
template <typename T, int D>
CREMA_DEVICE void attention_grad_keys(const T* q, const T* k, const T* v, const T* dy, const float* lse, const float* delta, T* dk, T* dv,
                                      const Extents& x) {
  using A = Attention<T, D, Pass::kKeys>;
  constexpr int kTiles = A::kTiles, kStep = A::kStep;
  CREMA_DYNAMIC_SHARED(T, own);
  T *const own_values = own + A::kRows * A::kRow, *const steps = own_values + A::kRows * A::kRow;
  float* const statistics = reinterpret_cast<float*>(steps + 4 * kStep * A::kRow);  // of two steps: logarithms, sums of dy y
  float* const room = statistics + 4 * kStep + warp_of_block() * 16 * A::kWeightRow;
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4, down = warp_of_block() * kTiles * 16;
  const float c = x.scale * kLog2e;
  each_tile<A::kRows>(x, x.s, false, [&](i64 head, i64 row0) {
    const T *const queries = of_head(q, x, head, x.t, x.d), *const flows = of_head(dy, x, head, x.t, x.e);
    const i64 begin = x.causal != 0 ? row0 / kStep * kStep : 0;
    float of_keys[kTiles][D / 8][4], of_values[kTiles][D / 8][4];
    clear(of_keys);
    clear(of_values);
    __syncthreads();
    fetch<A::kRows, D, A::kThreads>(of_head(k, x, head, x.s, x.d), row0, x.s, x.d, x.inner * x.d, own);
    fetch<A::kRows, D, A::kThreads>(of_head(v, x, head, x.s, x.e), row0, x.s, x.e, x.inner * x.e, own_values);
    const auto fetch_step = [&](i64 row, T* of_queries, T* of_flows, int buffer) {
      fetch<kStep, D, A::kThreads>(queries, row, x.t, x.d, x.inner * x.d, of_queries);
      fetch<kStep, D, A::kThreads>(flows, row, x.t, x.e, x.inner * x.e, of_flows);
      for (int i = static_cast<int>(threadIdx.x); i < kStep; i += A::kThreads) {
        const bool there = row + i < x.t;
        statistics[buffer * 2 * kStep + i] = there ? of_head(lse, x, head, x.t, 1)[(row + i) * x.inner] * kLog2e : 0.0f;
        statistics[buffer * 2 * kStep + kStep + i] = there ? of_head(delta, x, head, x.t, 1)[(row + i) * x.inner] : 0.0f;
      }
    };
    each_step<kStep, D, A::kThreads>(begin, x.t, steps, fetch_step, [&](i64 query0, const T* of_queries, const T* of_flows, int buffer) {
      const float* const shift = statistics + buffer * 2 * kStep;
      float w[kTiles][kStep / 8][4], slopes[kTiles][kStep / 8][4];
      Products<T>::template multiply_rows<D>(w, own + down * A::kRow, of_queries);
      Products<T>::template multiply_rows<D>(slopes, own_values + down * A::kRow, of_flows);
      const bool edge = query0 + kStep > x.t || (x.causal != 0 && query0 < row0 + down + kTiles * 16);
      CREMA_UNROLL
      for (int i = 0; i < kTiles; ++i) {
        CREMA_UNROLL
        for (int j = 0; j < kStep / 8; ++j) {
          CREMA_UNROLL
          for (int p = 0; p < 4; ++p) {
            const int column = j * 8 + 2 * t + p % 2;
            const i64 query = query0 + column, key = row0 + down + i * 16 + p / 2 * 8 + g;
            const bool hidden = edge && (query >= x.t || (x.causal != 0 && key > query));
            const float weight = hidden ? 0.0f : exp2_of(fmaf(w[i][j][p], c, -shift[column]));
            w[i][j][p] = weight;
            slopes[i][j][p] = hidden ? 0.0f : weight * (slopes[i][j][p] - shift[kStep + column]);
          }
        }
      }
      Products<T>::template add_weighted<D>(of_values, w, of_flows, room);
      Products<T>::template add_weighted<D>(of_keys, slopes, of_queries, room);
    });
    float by[kTiles][2], one[kTiles][2];
    CREMA_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      by[i][0] = by[i][1] = x.scale;
      one[i][0] = one[i][1] = 1.0f;
    }
    put_rows<kTiles, D>(of_keys, by, of_head(dk, x, head, x.s, x.d), row0 + down, x.s, x.d, x.inner * x.d);
    put_rows<kTiles, D>(of_values, one, of_head(dv, x, head, x.s, x.e), row0 + down, x.s, x.e, x.inner * x.e);
  });
}

// A kernel is compiled for as many threads as it has: fewer of them have more registers.
#define CREMA_ATTENTION(type, T, D)                                                                                                 \
  CREMA_KERNEL(attention_##D##_##type, (Attention<T, D, Pass::kForward>::kThreads), const T* q, const T* k, const T* v, T* y,       \
               float* lse, const Extents x) {                                                                                       \
    attention<T, D>(q, k, v, y, lse, x);                                                                                            \
  }                                                                                                                                 \
  CREMA_KERNEL(attention_grad_queries_##D##_##type, (Attention<T, D, Pass::kQueries>::kThreads), const T* q, const T* k,            \
               const T* v, const T* dy, const float* lse, const float* delta, T* dq, const Extents x) {                             \
    attention_grad_queries<T, D>(q, k, v, dy, lse, delta, dq, x);                                                                   \
  }                                                                                                                                 \
  CREMA_KERNEL(attention_grad_keys_##D##_##type, (Attention<T, D, Pass::kKeys>::kThreads), const T* q, const T* k, const T* v,      \
               const T* dy, const float* lse, const float* delta, T* dk, T* dv, const Extents x) {                                  \
    attention_grad_keys<T, D>(q, k, v, dy, lse, delta, dk, dv, x);                                                                  \
  }
