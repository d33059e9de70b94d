// softmax_rows.h: softmax and its logarithm over rows of n floats. In place allowed. NaN in, NaN out.
#pragma once

#include <type_traits>

#include "rows.h"

namespace crema {
namespace CREMA_ISA {

// A row's result: of e^(x - most) its share of the sum, or the logarithm of that, x - (most + log sum).
template <bool Log>
CREMA_INLINE vec share(vec v, vec constant) {
  return Log ? v - constant : v * constant;
}

constexpr int kLine = 16;  // floats of a cache line

// With 16 registers what is finished of the row two before is written at once: kept until all is read, it would be
// spilled, at one store a cycle (64 rows of 1024 in the L2 cache on Zen 3: a tenth less time, with one fetch a cache
// line). Past the caches it is kept: streams between the loads take a tenth more.
template <Place To>
#if defined(__AVX2__) && !defined(__AVX512F__)
constexpr bool kFinishesAtOnce = To != Place::kPast;
#else
constexpr bool kFinishesAtOnce = false;
#endif

// One row of five that are under way, so that their arithmetic and their memory overlap and no reduction is waited for:
// of e = e^(x - most) it returns the sum; the row two before is finished by its constant and goes to `done`; of the row
// `next`, two after, the largest element is found. `before` is x (Log) or e of the row two before.
template <bool Log, bool Before, Place To>
float softmax_row(const float* x, float most, const float* next, float* e, const float* before, float constant,
                  float* done, int64_t n, float* next_most) {
  const vec m = broadcast(most), of_before = broadcast(constant);
  vec largest[2] = {broadcast(-INFINITY), broadcast(-INFINITY)}, sum[kSums] = {};
  // `vectors` of them, the last of which has `last` elements: e is written when all are read, so that their chains of
  // dependent instructions may run side by side.
  const auto some_vectors = [&](int64_t i, auto vectors, int64_t last) CREMA_LAMBDA {
    constexpr int kVectors = decltype(vectors)::value;
    vec v[kVectors], done_before[kVectors];
    const auto row = [&](const float* p) CREMA_LAMBDA {
      return last == W ? load(p) : load_n(p, last, broadcast(-INFINITY));
    };
    const auto finish = [&](int k) CREMA_LAMBDA {
      if (To == Place::kPast) stream(done + i + k * W, done_before[k]);
      if (To != Place::kPast) put(done + i + k * W, done_before[k], last);
    };
#pragma GCC unroll 4
    for (int k = 0; k < kVectors; ++k) {
      if (To != Place::kNear && k * W % kLine == 0) fetch(next + n + i + k * W);
      if (To == Place::kFar && k * W % kLine == 0) fetch_to_write((Log ? done + n : e + n) + i + k * W);
      v[k] = row(x + i + k * W);
      if (Before) done_before[k] = share<Log>(some(before + i + k * W, last), of_before);
      if (Before && kFinishesAtOnce<To>) finish(k);
      largest[k % 2] = at_least(largest[k % 2], row(next + i + k * W));
    }
#pragma GCC unroll 4
    for (int k = 0; k < kVectors; ++k) {
      v[k] = vexp_negative(v[k] - m);
      sum[k] += v[k];
    }
#pragma GCC unroll 4
    for (int k = 0; k < kVectors; ++k) {
      if (!Log) put(e + i + k * W, v[k], last);
      if (Before && !kFinishesAtOnce<To>) finish(k);
    }
  };
  int64_t i = 0;
  for (; i + kSums * W <= n; i += kSums * W) some_vectors(i, std::integral_constant<int, kSums>{}, W);
  for (; i < n; i += W) some_vectors(i, std::integral_constant<int, 1>{}, n - i < W ? n - i : W);
  *next_most = hmax(at_least(largest[0], largest[1]));
  return total(sum);
}

constexpr int64_t kSoftmaxRing = 3;  // rows of e that are kept when y is written past the cache

template <bool Log, Place To>
void softmax_rows(const float* x, float* y, int64_t rows, int64_t n, float* scratch) {
  constexpr bool Past = To == Place::kPast;
  const auto e_of = [=](int64_t r) CREMA_LAMBDA { return Past ? scratch + r % kSoftmaxRing * n : y + r * n; };
  const auto before_of = [=](int64_t r) CREMA_LAMBDA { return Log ? x + r * n : static_cast<const float*>(e_of(r)); };
  // Of rows r and r + 1: their largest elements. Of rows r - 2 and r - 1: their constants.
  float most[2] = {largest_number(x, n), largest_number(rows > 1 ? x + n : x, n)}, constant[2] = {};
  for (int64_t r = 0; r < rows; ++r) {
    const float* const next = x + (r + 2 < rows ? r + 2 : rows - 1) * n;
    const float this_most = most[r % 2];
    const auto row = r < 2 ? softmax_row<Log, false, To> : softmax_row<Log, true, To>;
    const float sum = row(x + r * n, this_most, next, e_of(r), r < 2 ? x : before_of(r - 2), constant[r % 2],
                          y + (r < 2 ? r : r - 2) * n, n, &most[r % 2]);
    constant[r % 2] = Log ? this_most + vlog(broadcast(sum))[0] : 1.0f / sum;
  }
  for (int64_t r = rows < 2 ? 0 : rows - 2; r < rows; ++r) {
    const vec c = broadcast(constant[r % 2]);
    each(before_of(r), y + r * n, n, [=](vec v) CREMA_LAMBDA { return share<Log>(v, c); });
  }
  if (Past) streamed();
}

constexpr int64_t kSoftmaxGrain = 8192;      // elements worth waking another thread for
constexpr int64_t kLongestPastCache = 16384;  // floats of a row that scratch memory in the cache may hold

CREMA_INLINE int64_t softmax_scratch(const Call& c) {
  const int64_t n = c.in[0].last();
  return n > kLongestPastCache ? 0 : c.threads * kSoftmaxRing * n * static_cast<int64_t>(sizeof(float));
}

// The kernels: in x, out y; rows of the last axis.
template <bool Log>
void softmax_of(const Call& c) {
  const int64_t n = c.in[0].last(), rows = c.in[0].rows();
  if (n == 0) return;
  const float* const x = c.in[0].f32();
  float* const y = c.out[0].f32();
  const Place place = place_of(x, y, rows * n, n);
  const Place to = place == Place::kPast && n > kLongestPastCache ? Place::kFar : place;
  parallel(c.threads, rows, kSoftmaxGrain / n + 1, [&](int64_t begin, int64_t end, int64_t chunk) {
    if (begin >= end) return;
    const auto f = to == Place::kNear  ? softmax_rows<Log, Place::kNear>
                   : to == Place::kFar ? softmax_rows<Log, Place::kFar>
                                       : softmax_rows<Log, Place::kPast>;
    float* const e = to == Place::kPast ? reinterpret_cast<float*>(c.scratch) + chunk * kSoftmaxRing * n : nullptr;
    f(x + begin * n, y + begin * n, end - begin, n, e);
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
