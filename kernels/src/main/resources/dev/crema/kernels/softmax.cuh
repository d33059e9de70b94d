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

template <int Fours, bool Log>
CREMA_DEVICE void softmax_row_of_warp(const float* x, float* y, int n, bool whole) {
  WarpRow<Fours> row;
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

template <bool Log>
CREMA_DEVICE void softmax_of_warps(const float* x, float* y, i64 rows, int n) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16) && is_aligned(y, 16);
  with_fours(n, [&](auto fours) {
    each_warp_row(rows, [&](i64 r) { softmax_row_of_warp<decltype(fours)::value, Log>(x + r * n, y + r * n, n, whole); });
  });
}

// The largest number of a block's row and the sum of e^(x - largest), in all threads.
CREMA_DEVICE Softmax softmax_of_row(const BlockRow& row, i64 n) {
  Softmax s = {-CREMA_INFINITY, 0.0f};
  each_four(n, [&](i64 i, i64 left) {
    const float4 v = row.first(i, left, -CREMA_INFINITY);
    const float m = fmaxf(fmaxf(fmaxf(v.x, v.y), fmaxf(v.z, v.w)), s.most);
    s.sum = rescaled(s, m) + sum_of_four(v, left, [m](float e) { return exp_minus(e, m); });
    s.most = m;
  });
  const float m = block_join(s.most, GreaterNumber(), -CREMA_INFINITY);
  return {m, block_sum(rescaled(s, m))};
}

template <bool Log>
CREMA_DEVICE void softmax_of_blocks(const float* x, float* y, i64 rows, i64 n, float* cache) {
  const bool whole = n % 4 == 0 && is_aligned(x, 16) && is_aligned(y, 16);
  each_block_row(rows, [&](i64 r) {
    const BlockRow row = {x + r * n, cache, whole};
    const Softmax s = softmax_of_row(row, n);
    const float m = s.most, log_sum = logf(s.sum), inverse = 1.0f / s.sum;
    each_four(n, [&](i64 i, i64 left) {
      const float4 v = row.again(i, left, 0.0f);
      store4(y + r * n + i, map_four(v, [=](float e) { return Log ? (e - m) - log_sum : expf(e - m) * inverse; }), left,
             whole);
    });
  });
}
