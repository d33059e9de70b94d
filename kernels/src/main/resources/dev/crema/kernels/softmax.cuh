// softmax.cuh: softmax and its logarithm over rows, shared by softmax.cu and log_softmax.cu.
#pragma once

#include "rows.cuh"

// e^(x - most), where most is the largest number so far: -infinity before the first one.
CREMA_DEVICE float exp_minus(float x, float most) {
  return most == -CREMA_INFINITY ? (is_nan(x) ? x : 0.0f) : expf(x - most);
}

// Of part of a row: the largest number and the sum of e^(x - largest).
struct Softmax {
  float most, sum;
};
// The sum of a part of a row for another largest number.
CREMA_DEVICE float rescaled(Softmax s, float most) { return s.most == most ? s.sum : s.sum * exp_minus(s.most, most); }

template <typename T, int Packs, bool Log>
CREMA_DEVICE void softmax_row_of_warp(const T* x, T* y, int n, bool whole) {
  WarpRow<T, Packs> row;
  row.load(x, n, whole, -CREMA_INFINITY);
  const float m = row.join(-CREMA_INFINITY, GreaterNumber(), [](float v) { return v; });
  if (Log) {
    const float log_sum = logf(row.join(0.0f, Plus(), [m](float v) { return expf(v - m); }));
    row.map([=](float v, int) { return (v - m) - log_sum; });
  } else {
    row.map([m](float v, int) { return expf(v - m); });
    const float inverse = 1.0f / row.join(0.0f, Plus(), [](float e) { return e; });
    row.map([inverse](float e, int) { return e * inverse; });
  }
  row.store(y, n, whole);
}

template <bool Log, typename T>
CREMA_DEVICE void softmax_of_warps(const T* x, T* y, i64 rows, int n) {
  const bool whole = whole_rows(n, x, y);
  with_packs<T>(n, [&](auto packs) {
    each_warp_row(rows, [&](i64 r) { softmax_row_of_warp<T, decltype(packs)::value, Log>(x + r * n, y + r * n, n, whole); });
  });
}

// The largest number of a block's row and the sum of e^(x - largest), in all threads.
template <typename T>
CREMA_DEVICE Softmax softmax_of_row(const BlockRow<T>& row, i64 n) {
  constexpr int kWidth = kPack<T>;
  Softmax s = {-CREMA_INFINITY, 0.0f};
  each_pack<kWidth>(n, [&](i64 i, i64 left) {
    const Numbers<kWidth> v = row.first(i, left, -CREMA_INFINITY);
    float m = s.most;
    CREMA_UNROLL
    for (int k = 0; k < kWidth; ++k) m = fmaxf(m, v.v[k]);
    s.sum = rescaled(s, m) + sum_of(v, left, [m](float e) { return exp_minus(e, m); });
    s.most = m;
  });
  const float m = block_join(s.most, GreaterNumber(), -CREMA_INFINITY);
  return {m, block_sum(rescaled(s, m))};
}

template <bool Log, typename T>
CREMA_DEVICE void softmax_of_blocks(const T* x, T* y, i64 rows, i64 n, float* cache) {
  const bool whole = whole_rows(n, x, y);
  each_block_row(rows, [&](i64 r) {
    const BlockRow<T> row = {x + r * n, cache, whole};
    const Softmax s = softmax_of_row(row, n);
    const float m = s.most, log_sum = logf(s.sum), inverse = 1.0f / s.sum;
    each_pack<kPack<T>>(n, [&](i64 i, i64 left) {
      const auto v = row.again(i, left, 0.0f);
      store(y + r * n + i, map(v, [=](float e) { return Log ? (e - m) - log_sum : expf(e - m) * inverse; }), left, whole);
    });
  });
}

// dx = y (dy - sum(dy y)), or of the logarithm dx = dy - e^y sum(dy).
template <bool Log>
CREMA_DEVICE float softmax_share(float y, float dy) {
  return Log ? dy : y * dy;
}
template <bool Log>
CREMA_DEVICE float softmax_slope(float y, float dy, float sum) {
  return Log ? dy - expf(y) * sum : y * (dy - sum);
}

template <bool Log, typename T>
CREMA_DEVICE void softmax_grad_of_warps(const T* y, const T* dy, T* dx, i64 rows, int n) {
  const bool whole = whole_rows(n, y, dy, dx);
  with_packs<T>(n, [&](auto packs) {
    each_warp_row(rows, [&](i64 r) {
      WarpRow<T, decltype(packs)::value> a, d;
      a.load(y + r * n, n, whole, 0.0f);
      d.load(dy + r * n, n, whole, 0.0f);
      const float sum = a.sum(d, [](float p, float q) { return softmax_share<Log>(p, q); });
      d.map(a, [sum](float q, float p) { return softmax_slope<Log>(p, q, sum); });
      d.store(dx + r * n, n, whole);
    });
  });
}

template <bool Log, typename T>
CREMA_DEVICE void softmax_grad_of_blocks(const T* y, const T* dy, T* dx, i64 rows, i64 n) {
  constexpr int kWidth = kPack<T>;
  const bool whole = whole_rows(n, y, dy, dx);
  each_block_row(rows, [&](i64 r) {
    const T* const a = y + r * n;
    const T* const d = dy + r * n;
    float sum = 0.0f;
    each_pack<kWidth>(n, [&](i64 i, i64 left) {
      sum += sum_of(map(load<kWidth>(a + i, left, whole, 0.0f), load<kWidth>(d + i, left, whole, 0.0f),
                        [](float p, float q) { return softmax_share<Log>(p, q); }));
    });
    sum = block_sum(sum);
    each_pack<kWidth>(n, [&](i64 i, i64 left) {
      store(dx + r * n + i, map(load<kWidth>(a + i, left, whole, 0.0f), load<kWidth>(d + i, left, whole, 0.0f),
                                [sum](float p, float q) { return softmax_slope<Log>(p, q, sum); }),
            left, whole);
    });
  });
}

// The kernels of a family.
#define CREMA_SOFTMAX(name, log, type, T)                                                                                \
  CREMA_KERNEL(name##_warp_##type, kThreads, const T* x, T* y, i64 rows, int n) { softmax_of_warps<log>(x, y, rows, n); } \
  CREMA_KERNEL(name##_block_##type, kThreads, const T* x, T* y, i64 rows, i64 n, int cached) {                           \
    CREMA_DYNAMIC_SHARED(float, cache);                                                                                  \
    softmax_of_blocks<log>(x, y, rows, n, cached != 0 ? cache : nullptr);                                                \
  }                                                                                                                      \
  CREMA_KERNEL(name##_grad_warp_##type, kThreads, const T* y, const T* dy, T* dx, i64 rows, int n) {                     \
    softmax_grad_of_warps<log>(y, dy, dx, rows, n);                                                                      \
  }                                                                                                                      \
  CREMA_KERNEL(name##_grad_block_##type, kThreads, const T* y, const T* dy, T* dx, i64 rows, i64 n) {                    \
    softmax_grad_of_blocks<log>(y, dy, dx, rows, n);                                                                     \
  }
