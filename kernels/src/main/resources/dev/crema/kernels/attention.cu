// attention.cu: attention of heads of any size, a row a block, and what the gradient of all attention needs first. attention_tiles.cu and
// attention_mma.cu have heads of up to 128 numbers. q, k, v, y, their gradients are stored as T; statistics are float32. No matrix of
// scores is stored: of kThreads keys (or queries) at a time their weights lie in shared memory.
//   attention_T: (q, k, v, y, lse, Extents): a query a block
//   attention_grad_queries_T: (q, k, v, dy, lse, delta, dq, Extents): a query a block
//   attention_grad_keys_T: (q, k, v, dy, lse, delta, dk, dv, Extents): a key a block
//   256 threads; 2 (d + e) floats of dynamic shared memory; grid: any.
//   attention_delta_T: (y, dy, delta, i64 rows, int e): sums of y dy; 256 threads, a row a warp
#include "attention.cuh"

// Sum of a [n] x [n], a in shared memory.
template <typename T>
CREMA_DEVICE float dot_row(const float* a, const T* x, int n) {
  float sum = 0.0f;
  CREMA_UNROLL_TWICE
  for (int i = 0; i < n; ++i) sum = fmaf(a[i], to_float(x[i]), sum);
  return sum;
}

template <typename T>
CREMA_DEVICE void copy_row(const T* x, int n, float* to) {
  for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) to[i] = to_float(x[i]);
}

// sums [n] = sums kept + the rows of x [count, n], `step` numbers apart, weighted: a column a thread.
template <typename T>
CREMA_DEVICE void add_rows(float* sums, float kept, const float* weights, const T* x, int count, int n, int step) {
  for (int c = static_cast<int>(threadIdx.x); c < n; c += static_cast<int>(blockDim.x)) {
    float sum = kept == 1.0f ? sums[c] : sums[c] * kept;
    CREMA_UNROLL_TWICE
    for (int j = 0; j < count; ++j) sum = fmaf(weights[j], to_float(x[static_cast<i64>(j) * step + c]), sum);
    sums[c] = sum;
  }
}

CREMA_DEVICE void clear_row(float* sums, int n) {
  for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) sums[i] = 0.0f;
}

template <typename T>
CREMA_DEVICE void put_row(const float* sums, float by, T* y, int n) {
  for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x)) put(y + i, sums[i] * by);
}

template <typename T>
CREMA_DEVICE void attention_row(const T* q, const T* k, const T* v, T* y, float* lse, const Extents& x) {
  CREMA_DYNAMIC_SHARED(float, own);
  CREMA_SHARED(float, weights, kThreads);
  float* const sums = own + x.d;
  const float c = x.scale * kLog2e;
  const u32 rows = static_cast<u32>(x.heads * x.t);
  for (u32 i = blockIdx.x; i < rows; i += gridDim.x) {
    const u32 rows_of_head = static_cast<u32>(x.t);
    const i64 head = i / rows_of_head, place = i % rows_of_head;
    const T *const keys = of_head(k, x, head, x.s, x.d), *const values = of_head(v, x, head, x.s, x.e);
    const i64 seen = x.causal != 0 ? least(x.s, place + 1) : x.s;
    float most = -CREMA_INFINITY, total = 0.0f;
    __syncthreads();  // the row before is stored
    copy_row(of_head(q, x, head, x.t, x.d) + place * x.inner * x.d, x.d, own);
    clear_row(sums, x.e);
    for (i64 key0 = 0; key0 < seen; key0 += blockDim.x) {
      const int count = static_cast<int>(least(seen - key0, blockDim.x));
      __syncthreads();
      const bool there = static_cast<int>(threadIdx.x) < count;
      const float score = there ? dot_row(own, keys + (key0 + threadIdx.x) * x.inner * x.d, x.d) : -CREMA_INFINITY;
      const float now = fmaxf(most, block_join(score, GreaterNumber(), -CREMA_INFINITY));
      const float shift = now == -CREMA_INFINITY ? 0.0f : now * c;
      const float kept = exp2_of(fmaf(most, c, -shift)), weight = there ? exp2_of(fmaf(score, c, -shift)) : 0.0f;
      weights[threadIdx.x] = weight;
      total = fmaf(total, kept, block_sum(weight));  // a barrier after the weights are written
      add_rows(sums, kept, weights, values + key0 * x.inner * x.e, count, x.e, x.inner * x.e);
      most = now;
    }
    put_row(sums, 1.0f / total, of_head(y, x, head, x.t, x.e) + place * x.inner * x.e, x.e);
    if (threadIdx.x == 0) of_head(lse, x, head, x.t, 1)[place * x.inner] = fmaf(most, x.scale, logf(total));
  }
}

template <typename T>
CREMA_DEVICE void attention_grad_query(const T* q, const T* k, const T* v, const T* dy, const float* lse, const float* delta, T* dq,
                                       const Extents& x) {
  CREMA_DYNAMIC_SHARED(float, own);
  CREMA_SHARED(float, slopes, kThreads);
  float *const flow = own + x.d, *const sums = flow + x.e;
  const float c = x.scale * kLog2e;
  const u32 rows = static_cast<u32>(x.heads * x.t);
  for (u32 i = blockIdx.x; i < rows; i += gridDim.x) {
    const u32 rows_of_head = static_cast<u32>(x.t);
    const i64 head = i / rows_of_head, place = i % rows_of_head;
    const T *const keys = of_head(k, x, head, x.s, x.d), *const values = of_head(v, x, head, x.s, x.e);
    const i64 seen = x.causal != 0 ? least(x.s, place + 1) : x.s;
    __syncthreads();
    copy_row(of_head(q, x, head, x.t, x.d) + place * x.inner * x.d, x.d, own);
    copy_row(of_head(dy, x, head, x.t, x.e) + place * x.inner * x.e, x.e, flow);
    clear_row(sums, x.d);
    for (i64 key0 = 0; key0 < seen; key0 += blockDim.x) {
      const int count = static_cast<int>(least(seen - key0, blockDim.x));
      __syncthreads();
      if (static_cast<int>(threadIdx.x) < count) {
        const i64 key = (key0 + threadIdx.x) * x.inner;
        const float weight = exp2_of(fmaf(dot_row(own, keys + key * x.d, x.d), c, -of_head(lse, x, head, x.t, 1)[place * x.inner] * kLog2e));
        slopes[threadIdx.x] = weight * (dot_row(flow, values + key * x.e, x.e) - of_head(delta, x, head, x.t, 1)[place * x.inner]);
      }
      __syncthreads();
      add_rows(sums, 1.0f, slopes, keys + key0 * x.inner * x.d, count, x.d, x.inner * x.d);
    }
    put_row(sums, x.scale, of_head(dq, x, head, x.t, x.d) + place * x.inner * x.d, x.d);
  }
}

template <typename T>
CREMA_DEVICE void attention_grad_key(const T* q, const T* k, const T* v, const T* dy, const float* lse, const float* delta, T* dk, T* dv,
                                     const Extents& x) {
  CREMA_DYNAMIC_SHARED(float, own);
  CREMA_SHARED(float, weights, kThreads);
  CREMA_SHARED(float, slopes, kThreads);
  float *const own_value = own + x.d, *const of_key = own_value + x.e, *const of_value = of_key + x.d;
  const float c = x.scale * kLog2e;
  const u32 rows = static_cast<u32>(x.heads * x.s);
  for (u32 i = blockIdx.x; i < rows; i += gridDim.x) {
    const u32 rows_of_head = static_cast<u32>(x.s);
    const i64 head = i / rows_of_head, place = i % rows_of_head;
    const T *const queries = of_head(q, x, head, x.t, x.d), *const flows = of_head(dy, x, head, x.t, x.e);
    const i64 begin = x.causal != 0 ? place : 0;
    __syncthreads();
    copy_row(of_head(k, x, head, x.s, x.d) + place * x.inner * x.d, x.d, own);
    copy_row(of_head(v, x, head, x.s, x.e) + place * x.inner * x.e, x.e, own_value);
    clear_row(of_key, x.d);
    clear_row(of_value, x.e);
    for (i64 query0 = begin; query0 < x.t; query0 += blockDim.x) {
      const int count = static_cast<int>(least(x.t - query0, blockDim.x));
      __syncthreads();
      if (static_cast<int>(threadIdx.x) < count) {
        const i64 query = (query0 + threadIdx.x) * x.inner;
        const float weight = exp2_of(fmaf(dot_row(own, queries + query * x.d, x.d), c, -of_head(lse, x, head, x.t, 1)[query] * kLog2e));
        weights[threadIdx.x] = weight;
        slopes[threadIdx.x] = weight * (dot_row(own_value, flows + query * x.e, x.e) - of_head(delta, x, head, x.t, 1)[query]);
      }
      __syncthreads();
      add_rows(of_value, 1.0f, weights, flows + query0 * x.inner * x.e, count, x.e, x.inner * x.e);
      add_rows(of_key, 1.0f, slopes, queries + query0 * x.inner * x.d, count, x.d, x.inner * x.d);
    }
    put_row(of_key, x.scale, of_head(dk, x, head, x.s, x.d) + place * x.inner * x.d, x.d);
    put_row(of_value, 1.0f, of_head(dv, x, head, x.s, x.e) + place * x.inner * x.e, x.e);
  }
}

template <typename T>
CREMA_DEVICE void attention_delta(const T* y, const T* dy, float* delta, i64 rows, int e) {
  constexpr int kWidth = kPack<T>;
  const bool whole = e % kWidth == 0 && is_aligned(y, 16) && is_aligned(dy, 16);
  const i64 step = static_cast<i64>(gridDim.x) * warps_of_block();
  for (i64 r = static_cast<i64>(blockIdx.x) * warps_of_block() + warp_of_block(); r < rows; r += step) {
    float sum = 0.0f;
    for (int i = lane_of_warp() * kWidth; i < e; i += kWarp * kWidth) {
      const auto a = load<kWidth>(y + r * e + i, e - i, whole, 0.0f), b = load<kWidth>(dy + r * e + i, e - i, whole, 0.0f);
      CREMA_UNROLL
      for (int p = 0; p < kWidth; ++p) sum = fmaf(a.v[p], b.v[p], sum);
    }
    sum = warp_sum(sum);
    if (lane_of_warp() == 0) delta[r] = sum;
  }
}

#define CREMA_ATTENTION_ROWS(type, T)                                                                                              \
  CREMA_KERNEL(attention_##type, kThreads, const T* q, const T* k, const T* v, T* y, float* lse, const Extents x) {                \
    attention_row(q, k, v, y, lse, x);                                                                                             \
  }                                                                                                                                \
  CREMA_KERNEL(attention_grad_queries_##type, kThreads, const T* q, const T* k, const T* v, const T* dy, const float* lse,         \
               const float* delta, T* dq, const Extents x) {                                                                       \
    attention_grad_query(q, k, v, dy, lse, delta, dq, x);                                                                          \
  }                                                                                                                                \
  CREMA_KERNEL(attention_grad_keys_##type, kThreads, const T* q, const T* k, const T* v, const T* dy, const float* lse,            \
               const float* delta, T* dk, T* dv, const Extents x) {                                                                \
    attention_grad_key(q, k, v, dy, lse, delta, dk, dv, x);                                                                        \
  }                                                                                                                                \
  CREMA_KERNEL(attention_delta_##type, kThreads, const T* y, const T* dy, float* delta, i64 rows, int e) {                         \
    attention_delta(y, dy, delta, rows, e);                                                                                        \
  }
CREMA_EACH_TYPE(CREMA_ATTENTION_ROWS)
